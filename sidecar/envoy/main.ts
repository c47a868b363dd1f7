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
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describeError } from '../../errors/error.ts';
import { renderBootstrap } from '../../mesh/envoy/bootstrap.ts';
import { identityOf } from '../../mesh/identity.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { createEgress } from '../../runtime/egress.ts';
import { stopOnSignal } from '../../runtime/lifecycle.ts';
import { createLogger } from '../../runtime/log.ts';
import { handshakeProver } from './adapters/handshake-prover.ts';
import { secretFiles } from './adapters/secret-files.ts';
import { secretsManagerSource } from './adapters/secrets-manager-source.ts';
import { CertAgent } from './cert-agent/agent.ts';
import { judgeDelivered, judgeDeliveredTrust } from './cert-agent/judge.ts';
import { readConfig, type SidecarConfig } from './config.ts';
import { drain } from './drain.ts';
import { EXIT_ENVOY_ENDED, startEnvoy, type EnvoyProcess } from './envoy-process.ts';

const mesh = tokenizationMesh;
const logger = createLogger(`sidecar-${process.env['TOKENMESH_NODE'] ?? 'unknown'}`);

async function main(): Promise<void> {
  const config = readConfig(process.env);
  await mkdir(config.runDirectory, { recursive: true, mode: 0o700 });
  const bootstrapFile = join(config.runDirectory, 'bootstrap.json');
  await writeFile(bootstrapFile, JSON.stringify(renderBootstrap(mesh, config.nodeName, config.placement)), {
    mode: 0o600,
  });
  const identity = identityOf(mesh, config.nodeName);
  const agent = new CertAgent({
    source: secretsManagerSource(new SecretsManagerClient({ maxAttempts: 3 }), mesh.name, config.nodeName),
    files: await secretFiles(config.placement.secretsDirectory, join(config.runDirectory, 'staging')),
    prover: handshakeProver(config.placement.listener, identity, createEgress(config.placement.egressSocket)),
    judge: judgeDelivered(identity, () => new Date()),
    judgeTrust: judgeDeliveredTrust(() => new Date()),
    now: Date.now,
    sleep,
    log: (event) => logger[event.level](event.facts, event.text),
  });
  let envoy: EnvoyProcess | undefined;
  const stopping = new AbortController();
  stopOnSignal(async () => {
    stopping.abort();
    if (envoy !== undefined) await drain(config.placement.admin, config.drainSeconds);
    await envoy?.stop();
    await rm(config.agentSocket, { force: true });
  });
  await serveStatus(config, agent, () => envoy);
  await agent.refresh();
  while (!agent.isComplete && !stopping.signal.aborted) {
    await sleep(Math.min(config.pollSeconds, 2) * 1000);
    await agent.refresh();
  }
  if (stopping.signal.aborted) return;
  envoy = startEnvoy(config.envoyBinary, bootstrapFile, config.envoyConcurrency);
  logger.info({ pid: envoy.pid }, 'envoy started');
  void envoy.exited.then((exit) => {
    if (stopping.signal.aborted) return;
    logger.error({ ...exit }, 'envoy ended by itself');
    process.exit(EXIT_ENVOY_ENDED);
  });
  await watch(config, agent, stopping.signal);
}

/** Looks at every secret again and again, with jitter so that a fleet does not ask at one moment. */
async function watch(config: SidecarConfig, agent: CertAgent, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    await agent.refresh();
    const unproven = agent.states.some((state) => state.servedSerial !== state.serial);
    await sleep(unproven ? 250 : config.pollSeconds * 1000 * (0.9 + Math.random() * 0.2));
  }
}

/** `GET /status`, for the operator and the health check of the container: on a Unix socket. */
async function serveStatus(
  config: SidecarConfig,
  agent: CertAgent,
  envoy: () => EnvoyProcess | undefined,
): Promise<void> {
  const server = createServer((_request, response) => {
    const certificates = agent.states;
    const ready =
      envoy() !== undefined &&
      certificates.every((state) => state.servedSerial !== undefined && state.servedSerial === state.serial);
    response.writeHead(ready ? 200 : 503, { 'content-type': 'application/json' });
    const status = {
      node: config.nodeName,
      ready,
      envoyPid: envoy()?.pid,
      certificates,
      trust: agent.trustStates,
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
