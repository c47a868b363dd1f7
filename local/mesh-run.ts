/**
 * A whole mesh on this machine: AWS emulated, real Envoys, the sidecars and apps as the images run them.
 *
 * @module
 */

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TokenmeshError } from '../errors/error.ts';
import { renderSource } from '../mesh/certificate-source.ts';
import type { Hierarchy, Mesh } from '../mesh/definition.ts';
import { emulatorClients, type AwsClients } from '../operator/aws-clients.ts';
import { serveDashboard } from '../operator/dashboard/server.ts';
import { writeIdentityFiles } from '../operator/identities.ts';
import { claimRun, findClaim, removeRunState, writeRunState, type RunState } from '../operator/run-state.ts';
import type { Logger } from '../runtime/log.ts';
import { startEmulator } from './aws/emulator.ts';
import { preparePythonEnvironment } from './aws/python-environment.ts';
import { givenMaterial, requireEmptyAccount, requireEnvoy } from './given-parts.ts';
import { createBulkResources } from './aws/bulk-resources.ts';
import { createEventBus, createVaultResources } from './aws/resources.ts';
import { createUserPool } from './aws/user-pool.ts';
import { forbidCoreDumps } from './core-dumps.ts';
import { freePort } from './free-port.ts';
import { OTLP_ENDPOINT, tracesOf } from './traces.ts';
import { planLayout, type NodeLayout, type PortChoice } from './layout.ts';
import { makePki, writePki, type MadePki } from './made-pki.ts';
import { startLocalDatabase, type DatabaseEnvironments } from './mysql/local-database.ts';
import { appName, sidecarName, startNodes, type NodeProcessesPlan } from './node-processes.ts';
import { createProcesses, type Processes } from './processes.ts';
import { untilReady } from './readiness.ts';
import { joinRegions, regionsBeside, type MeshRegion } from './regions/mesh-region.ts';
import { writeShortLivedIdentities } from './short-lived.ts';
import { startRenewalSchedule } from './renewal-schedule.ts';
import { stateOfRun } from './state-of-run.ts';

/** Where a mesh is that is the only one. */
export const HOME_REGION = 'us-east-1';

/**
 * How long a message of the queue is out of sight. A batch takes about a second here, and on a busy machine ten: one
 * that comes again while it is worked on counts as a try, and after five it is a dead letter.
 */
const BULK_SECONDS = 30;

const PROJECT_ROOT = join(import.meta.dirname, '..');

/** Where the order app keeps its history. */
export type LocalOrderStore = 'dynamodb' | 'mysql';

export interface MeshRunOptions {
  readonly mesh: Mesh;
  readonly orderStore: LocalOrderStore;
  /** @default the only one */
  readonly region?: MeshRegion;
  /** Where the operator's command finds the run. */
  readonly stateFile: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** @default 'of-the-definition' */
  readonly ports?: PortChoice;
  /** Puts something between the mesh and AWS. @returns Where the mesh is to find AWS then. */
  readonly inFrontOfAws?: (endpointUrl: string) => Promise<string>;
  /** A node of which a process ended is started again, as ECS replaces a task; otherwise the run ends. */
  readonly replacesTasks?: boolean;
  /** What the agent and the app of a node are told beside. */
  readonly environmentOf?: (nodeName: string) => Readonly<Record<string, string>>;
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
  #processes: Processes;
  readonly #failed = Promise.withResolvers<never>();
  readonly #stopped = new AbortController();
  #stopEmulator: () => Promise<void> = async () => {};
  #stopDashboard: () => Promise<void> = async () => {};
  #started: { readonly plan: NodeProcessesPlan; readonly state: RunState } | undefined;

  constructor(options: MeshRunOptions) {
    this.#options = options;
    this.#directory = mkdtempSync(join(memoryBackedDirectory(), 'tokenmesh-'));
    try {
      claimRun(options.stateFile, { pid: process.pid, directory: this.#directory });
    } catch (error) {
      rmSync(this.#directory, { recursive: true, force: true });
      throw error;
    }
    this.#failed.promise.catch(() => {});
    this.#processes = this.#watchedProcesses();
  }

  #watchedProcesses(): Processes {
    const processes = createProcesses(this.#directory);
    processes.failed.catch((error: unknown) => this.#failed.reject(error));
    return processes;
  }

  /** What runs of a node now: another than the run's state says, once it has been replaced. */
  pidsOf(nodeName: string): { readonly agent?: number; readonly app?: number } {
    const [agent, app] = [sidecarName(nodeName), appName(nodeName)].map((name) =>
      this.#processes.pidOf(name),
    );
    return { ...(agent === undefined ? {} : { agent }), ...(app === undefined ? {} : { app }) };
  }

  /** Rejects when a process of the run ends by itself. Never resolves. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  async start(): Promise<MeshRun> {
    await forbidCoreDumps();
    const { stage, mesh, environment, region } = this.#options;
    const tools = await stage(
      'Envoy and the AWS emulator',
      async (progress) => await this.#prepareTools(progress),
    );
    const given = environment['AWS_ENDPOINT_URL'] ?? '';
    const emulated = given === '' ? await this.#startEmulator(tools.python) : given;
    const endpointUrl = (await this.#options.inFrontOfAws?.(emulated)) ?? emulated;
    const aws = emulatorClients(endpointUrl, this.#region);
    if (given !== '') await requireEmptyAccount(aws, given);
    if (region !== undefined) await joinRegions(endpointUrl, region);
    const processor = { host: '127.0.0.1', port: await freePort() };
    const eventBusName = environment['TOKENMESH_EVENT_BUS'];
    const made = await stage('keys, tables, private CAs, certificates', async () => {
      const [vault, pki, userPool, bulk] = await Promise.all([
        createVaultResources(aws, mesh, {
          material: givenMaterial(environment),
          isMultiRegion: region !== undefined,
          replicaOf: region?.replicaOf,
        }),
        makePki(aws, mesh, this.#options.logger),
        createUserPool(aws.cognito, mesh, { endpointUrl, region: this.#region }),
        createBulkResources({
          ...{ endpointUrl, region: this.#region, kms: aws.kms },
          visibilitySeconds: BULK_SECONDS,
        }),
        ...(eventBusName === undefined ? [] : [createEventBus(aws, eventBusName)]),
      ]);
      await writePki(this.#directory, aws, mesh, pki);
      return { ...vault, ...pki, userPool, bulk };
    });
    this.#options.signal.throwIfAborted();
    const layout = await planLayout(
      mesh,
      this.#directory,
      processor,
      join(this.#directory, 'processor', 'root.pem'),
      this.#options.ports ?? 'of-the-definition',
      {
        ...(made.userPool === undefined ? {} : { tokenIssuer: made.userPool.tokenIssuer }),
        ...tracesOf(environment[OTLP_ENDPOINT]),
      },
    );
    await Promise.all(layout.nodes.map(writePlacement));
    const databases = await this.#databases(aws, made);
    const plan: NodeProcessesPlan = {
      layout,
      environment,
      endpointUrl,
      region: this.#region,
      otherRegions: region === undefined ? [] : regionsBeside(region),
      envoyBinary: tools.envoyBinary,
      vaultKeyArn: made.vaultKeyArn,
      auditKeyArn: made.auditKeyArn,
      markKeyArn: made.markKeyArn,
      bulk: made.bulk,
      databases,
      processorPort: processor.port,
      sourceOf: (nodeName) => renderSource(mesh, nodeName, shortLivedArns(made)),
      replacesTasks: this.#options.replacesTasks ?? false,
      environmentOf: this.#options.environmentOf ?? (() => ({})),
    };
    const pids = startNodes(this.#processes, plan);
    const state = stateOfRun({
      ...{ mesh, directory: this.#directory, layout, made, pids, eventBusName, region },
      aws: { endpointUrl, region: this.#region },
    });
    await writeShortLivedIdentities(state, aws, mesh, made.hierarchies);
    await writeIdentityFiles(state, mesh.name, aws.secretsManager);
    await stage(
      'Envoys and apps',
      async (progress) => await untilReady(layout, this.#options.signal, progress),
    );
    await startRenewalSchedule({
      ...{ mesh, aws, endpointUrl, region: this.#region },
      ...{ logger: this.#options.logger, signal: this.#stopped.signal },
    });
    const dashboard = await serveDashboard({ mesh, state, aws });
    this.#stopDashboard = async () => await dashboard.close();
    const served = { ...state, dashboardUrl: dashboard.url };
    writeRunState(this.#options.stateFile, served);
    this.#started = { plan, state: served };
    return { state: served, aws, gatewayTrust: made.hierarchies.servers.rootCertificate };
  }

  get #region(): string {
    return this.#options.region?.name ?? HOME_REGION;
  }

  /** Ends every process of the mesh at once, as where a region is lost. What AWS has of it stays. */
  async lose(): Promise<void> {
    this.#processes.kill();
    await this.#processes.stop();
  }

  /** Starts them again, with nothing but what AWS has, and waits until they are ready. */
  async restore(): Promise<void> {
    if (this.#started === undefined) throw new Error('expected a mesh that was started');
    const { plan, state } = this.#started;
    this.#processes = this.#watchedProcesses();
    const pids = startNodes(this.#processes, plan);
    await untilReady(plan.layout, this.#options.signal, () => {});
    const nodes = state.nodes.map((node) => ({ ...node, pids: pids.get(node.name) ?? node.pids }));
    writeRunState(this.#options.stateFile, { ...state, nodes });
  }

  async #databases({ acmPca }: AwsClients, { outside }: MadePki): Promise<DatabaseEnvironments> {
    const { orderStore, environment, stage } = this.#options;
    if (orderStore === 'dynamodb') return {};
    const parts = { processes: this.#processes, directory: this.#directory, environment, acmPca };
    return await stage(
      'the database of the orders',
      async () => await startLocalDatabase({ ...parts, authority: outside }),
    );
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#stopDashboard();
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
    const claim = findClaim(this.#options.stateFile);
    if (claim?.directory === this.#directory) removeRunState(this.#options.stateFile);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #prepareTools(progress: (line: string) => void): Promise<{ python: string; envoyBinary: string }> {
    const { environment, signal } = this.#options;
    const { python, bin } = await preparePythonEnvironment({
      // Where the installed packages are kept, for a tree that cannot be written to.
      projectRoot: environment['TOKENMESH_HOME'] ?? PROJECT_ROOT,
      requirementsFile: join(import.meta.dirname, 'aws', 'requirements.txt'),
      name: 'local',
      onProgress: progress,
      signal,
      env: { ...environment },
    });
    const given = environment['ENVOY_BIN'] ?? '';
    const envoyBinary = given === '' ? join(bin, 'envoy') : given;
    await requireEnvoy(envoyBinary);
    return { python, envoyBinary };
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
}

/** Keys are in files in a local run, so the folder is kept in memory where the platform has that. */
function memoryBackedDirectory(): string {
  try {
    return statSync('/dev/shm').isDirectory() ? '/dev/shm' : tmpdir();
  } catch {
    return tmpdir();
  }
}

function shortLivedArns({ hierarchies }: MadePki): Record<Hierarchy, string> | undefined {
  const [clients, servers] = [hierarchies.clients.shortLived, hierarchies.servers.shortLived];
  if (clients === undefined || servers === undefined) return undefined;
  return { clients: clients.arn, servers: servers.arn };
}

async function writePlacement(node: NodeLayout): Promise<void> {
  await mkdir(node.directory, { recursive: true, mode: 0o700 });
  await writeFile(node.placementFile, JSON.stringify(node.placement), { mode: 0o600 });
}

function emulatorEnded(pid: number, how: string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_PROCESS_ENDED',
    message: `the AWS emulator (pid ${pid}) ended by ${how} while the mesh was running`,
    remedy: 'the mesh does not go on without it and is stopped; start it again with: npm start',
  });
}
