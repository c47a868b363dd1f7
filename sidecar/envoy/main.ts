/**
 * The sidecar: the cert agent, and Envoy as its child.
 *
 * Envoy starts only once there is a certificate that holds up for each role. It ends with the agent,
 * and the agent with it: in a task the container is then replaced.
 *
 * @module
 */

import { createServer } from 'node:http';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ACMPCAClient } from '@aws-sdk/client-acm-pca';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describeError } from '../../errors/error.ts';
import { renderBootstrap } from '../../mesh/envoy/bootstrap.ts';
import { identityOf } from '../../mesh/identity.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { createEgress } from '../../runtime/egress.ts';
import { stopOnSignal } from '../../runtime/lifecycle.ts';
import { createLogger, nameOf } from '../../runtime/log.ts';
import { standardOutput } from '../../runtime/standard-output.ts';
import { judgeCrl } from '../../pki/crl.ts';
import { handshakeProver } from './adapters/handshake-prover.ts';
import { ISSUER_CLIENT, privateCaIssuer } from './adapters/private-ca-issuer.ts';
import { revocationSource } from './adapters/revocation-source.ts';
import { s3Objects } from './adapters/s3-objects.ts';
import { fileSink } from './adapters/file-sink.ts';
import { secretsManagerSource } from './adapters/secrets-manager-source.ts';
import { watchedFiles } from './adapters/watched-files.ts';
import { SecretPublisher } from './sds/publisher.ts';
import { serveSecrets } from './sds/server.ts';
import { secretDeliveryOf } from '../../mesh/secret-delivery.ts';
import type { CertificateSource, SecretSink, WatchedFiles } from './cert-agent/ports.ts';
import { CertAgent, type AgentEvent } from './cert-agent/agent.ts';
import { shortLivedSource, type ShortLivedSource } from './cert-agent/issuance/short-lived-source.ts';
import { judgeDelivered, judgeDeliveredTrust } from './cert-agent/judge.ts';
import { RevocationWatch } from './cert-agent/revocation.ts';
import { readConfig, type SidecarConfig } from './config.ts';
import { drain } from './drain.ts';
import { emfWriter } from './emf.ts';
import { sidecarMetrics } from './metrics.ts';
import { scrape } from './scrape.ts';
import { BOOTSTRAP_FILE, EXIT_ENVOY_ENDED, startEnvoy, type EnvoyProcess } from './envoy-process.ts';

const mesh = tokenizationMesh;
const logger = createLogger(`sidecar-${process.env['TOKENMESH_NODE'] ?? 'unknown'}`);

async function main(): Promise<void> {
  const config = readConfig(process.env);
  await mkdir(config.runDirectory, { recursive: true, mode: 0o700 });
  const bootstrapFile = join(config.runDirectory, BOOTSTRAP_FILE);
  await writeFile(bootstrapFile, JSON.stringify(renderBootstrap(mesh, config.nodeName, config.placement)), {
    mode: 0o600,
  });
  const identity = identityOf(mesh, config.nodeName);
  const secrets = new SecretsManagerClient({ maxAttempts: 3 });
  const files = await watchedFiles(config.placement.secretsDirectory, join(config.runDirectory, 'staging'));
  const revocation = new RevocationWatch({
    source: revocationSource(secrets, s3Objects(secrets), mesh.name),
    files,
    judgeCrl,
    policy: mesh.revocation,
    crlSeconds: config.crlSeconds,
    now: Date.now,
    log,
  });
  const { sink, stopServing } = await openSink(config, files);
  const source = certificateSource(config, identity, secrets);
  const agent = new CertAgent({
    source,
    sink,
    prover: handshakeProver(config.placement.listener, identity, createEgress(config.placement.egressSocket)),
    judge: judgeDelivered(identity, () => new Date()),
    judgeTrust: judgeDeliveredTrust(() => new Date()),
    crls: (hierarchy, roots) => revocation.crls(hierarchy, roots),
    now: Date.now,
    sleep,
    log,
  });
  let envoy: EnvoyProcess | undefined;
  const stopping = new AbortController();
  stopOnSignal(async () => {
    stopping.abort();
    if (envoy !== undefined) await drain(config.placement.admin, config.drainSeconds);
    await envoy?.stop();
    await stopServing();
    await rm(config.agentSocket, { force: true });
  });
  const issuance = () => ('states' in source ? source.states : []);
  const metrics = sidecarMetrics(config.nodeName, agent, revocation, issuance, sink);
  await serveStatus(config, { agent, source, sink, revocation, metrics, envoy: () => envoy });
  for (;;) {
    await revocation.refresh();
    await agent.refresh();
    if ((agent.isComplete && revocation.isComplete) || stopping.signal.aborted) break;
    await sleep(Math.min(config.pollSeconds, 2) * 1000);
  }
  if (stopping.signal.aborted) return;
  envoy = startEnvoy(config.envoyBinary, bootstrapFile, config.envoyConcurrency);
  logger.info({ pid: envoy.pid }, 'envoy started');
  void envoy.exited.then((exit) => {
    if (stopping.signal.aborted) return;
    logger.error({ ...exit }, 'envoy ended by itself');
    process.exit(EXIT_ENVOY_ENDED);
  });
  if (config.emfSeconds !== undefined) writeEmf(config, config.emfSeconds, metrics, stopping.signal);
  await Promise.all([
    watch(config, agent, stopping.signal),
    watchRevocation(config, revocation, agent, stopping.signal),
  ]);
}

function log(event: AgentEvent): void {
  logger[event.level](event.facts, event.text);
}

/** The agent's own metrics, its Envoy's, and those of the app beside it where it has any. */
function writeEmf(
  { nodeName, placement }: SidecarConfig,
  seconds: number,
  own: ReturnType<typeof sidecarMetrics>,
  stopping: AbortSignal,
): void {
  const { admin, appSocket } = placement;
  const write = emfWriter({
    namespace: mesh.name,
    node: nodeName,
    scrape: async () =>
      await Promise.all([
        own.text(),
        scrape(admin, '/stats/prometheus'),
        appSocket === undefined ? '' : scrape({ socket: appSocket }, '/metrics'),
      ]),
    write: (line) => void standardOutput.write(`${line}\n`),
    now: Date.now,
  });
  const timer = setInterval(() => {
    write().catch((error: unknown) => logger.warn({ fault: nameOf(error) }, 'metrics were not written'));
  }, seconds * 1000);
  stopping.addEventListener('abort', () => clearInterval(timer));
}

/** As the definition of the mesh chose for this node; trust is delivered alike for both kinds. */
function certificateSource(
  config: SidecarConfig,
  identity: string,
  client: SecretsManagerClient,
): CertificateSource | ShortLivedSource {
  const secrets = secretsManagerSource(client, mesh.name, config.nodeName);
  const chosen = config.certificateSource;
  if (chosen.kind === 'acm-export') return secrets;
  const { lifeSeconds, fleetTasks, authorities } = chosen;
  return shortLivedSource({
    issuer: privateCaIssuer(new ACMPCAClient(ISSUER_CLIENT), authorities),
    trust: async (hierarchy) => await secrets.trust(hierarchy),
    identity,
    lifeSeconds,
    fleetTasks,
    now: Date.now,
    sleep: async (ms) => await sleep(ms),
    random: Math.random,
    log,
  });
}

/** In the way that the definition names for this node. */
async function openSink(
  { nodeName, placement }: SidecarConfig,
  files: WatchedFiles,
): Promise<{ sink: SecretSink; stopServing: () => Promise<void> }> {
  if (secretDeliveryOf(mesh, nodeName) === 'file') {
    return { sink: fileSink(files), stopServing: async () => {} };
  }
  const publisher = new SecretPublisher();
  const server = await serveSecrets(placement.sdsSocket, publisher);
  return { sink: publisher, stopServing: async () => await server.close() };
}

/** Looks at every secret again and again, with jitter so that a fleet does not ask at one moment. */
async function watch(config: SidecarConfig, agent: CertAgent, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    await agent.refresh();
    const unproven = agent.states.some((state) => state.servedSerial !== state.serial);
    await sleep(unproven ? 250 : config.pollSeconds * 1000 * (0.9 + Math.random() * 0.2));
  }
}

/** By itself: a round over the certificates may wait for Envoy, and a revocation may not. */
async function watchRevocation(
  config: SidecarConfig,
  revocation: RevocationWatch,
  agent: CertAgent,
  stopping: AbortSignal,
): Promise<void> {
  while (!stopping.aborted) {
    await revocation.refresh();
    await agent.refreshCrls();
    await sleep(config.revocationPollSeconds * 1000 * (0.9 + Math.random() * 0.2));
  }
}

interface Served {
  readonly agent: CertAgent;
  readonly source: CertificateSource | ShortLivedSource;
  readonly sink: SecretSink;
  readonly revocation: RevocationWatch;
  readonly metrics: ReturnType<typeof sidecarMetrics>;
  readonly envoy: () => EnvoyProcess | undefined;
}

/** `GET /status` and `GET /metrics`, for the operator and the health check of the container: on a Unix socket. */
async function serveStatus(
  config: SidecarConfig,
  { agent, source, sink, revocation, metrics, envoy }: Served,
): Promise<void> {
  const server = createServer((request, response) => {
    if (request.url === '/metrics') {
      void metrics.text().then((text) => {
        response.writeHead(200, { 'content-type': metrics.contentType });
        response.end(text);
      });
      return;
    }
    const certificates = agent.states;
    const ready =
      envoy() !== undefined &&
      certificates.every((state) => state.servedSerial !== undefined && state.servedSerial === state.serial);
    response.writeHead(ready ? 200 : 503, { 'content-type': 'application/json' });
    const status = {
      node: config.nodeName,
      ready,
      now: new Date().toISOString(),
      envoyPid: envoy()?.pid,
      certificates,
      trust: agent.trustStates,
      revocation: revocation.state,
      ...('states' in source ? { issuance: source.states } : {}),
      secrets: sink.answers,
    };
    response.end(JSON.stringify(status));
  });
  await rm(config.agentSocket, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.agentSocket, resolve);
  });
  await chmod(config.agentSocket, 0o600);
  server.unref();
}

try {
  await main();
} catch (error) {
  logger.fatal({ problem: describeError(error) }, 'sidecar failed');
  process.exit(1);
}
