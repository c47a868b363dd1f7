/**
 * The processes of the nodes: for each a sidecar and an app, started as the images start them.
 *
 * @module
 */

import { join } from 'node:path';
import type { RenderedSource } from '../mesh/certificate-source.ts';
import { EMULATOR_CREDENTIALS } from '../operator/aws-clients.ts';
import type { BulkState, NodeState } from '../operator/run-state.ts';
import { BOOTSTRAP_FILE, EXIT_ENVOY_ENDED } from '../sidecar/envoy/envoy-process.ts';
import { appProgram, sidecarProgram, type Program } from '../sidecar/node-programs.ts';
import type { Layout, NodeLayout } from './layout.ts';
import type { DatabaseEnvironments } from './mysql/local-database.ts';
import type { Processes } from './processes.ts';

const PROJECT_ROOT = join(import.meta.dirname, '..');

/** So that a person who waits for a region to catch up sees it do so. */
const HEARTBEAT_SECONDS = 1;

export interface NodeProcessesPlan {
  readonly layout: Layout;
  readonly envoyBinary: string;
  readonly vaultKeyArn: string;
  readonly auditKeyArn: string;
  readonly markKeyArn: string;
  readonly bulk: BulkState;
  /** What an app is told beside, by the name of its node. */
  readonly databases: DatabaseEnvironments;
  readonly processorPort: number;
  readonly endpointUrl: string;
  readonly region: string;
  /** Regions that write to the same tables. */
  readonly otherRegions: readonly string[];
  /** Where a node's certificates come from. */
  readonly sourceOf: (nodeName: string) => RenderedSource;
  /** The user's. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A node of which a process ended is started again, as ECS replaces a task; otherwise the run ends. */
  readonly replacesTasks?: boolean;
  /** What the agent and the app of a node are told beside. */
  readonly environmentOf: (nodeName: string) => Readonly<Record<string, string>>;
}

/** @returns The pids of each node. */
export function startNodes(processes: Processes, plan: NodeProcessesPlan): Map<string, NodeState['pids']> {
  const environment = childEnvironment(plan);
  const processorFile = (name: string): string => join(plan.layout.directory, 'processor', name);
  processes.start({
    name: 'the processor',
    ...script('local/processor/main.ts'),
    environment: {
      ...environment,
      PROCESSOR_PORT: String(plan.processorPort),
      PROCESSOR_CERTIFICATE: processorFile('chain.pem'),
      PROCESSOR_KEY: processorFile('key.pem'),
    },
  });
  processes.start({
    name: 'the function bulk',
    ...script('local/bulk/main.ts'),
    environment: { ...environment, ...bulkEnvironment(plan) },
    restarts: true,
  });
  return new Map(
    plan.layout.nodes.map((node) => {
      const ofNode = { ...environment, ...plan.environmentOf(node.name) };
      const ofTask = plan.replacesTasks === true ? ({ restarts: true, task: node.name } as const) : {};
      const agent = processes.start({
        name: sidecarName(node.name),
        ...ofTask,
        ...started(sidecarOf(node, plan), ofNode),
        exitCodeMeans: { [EXIT_ENVOY_ENDED]: `Envoy of ${node.name}` },
      });
      if (node.appSocket === undefined) return [node.name, { agent }];
      const { name: nodeName, appSocket, egressSocket } = node;
      const passed = nodeName === 'tokenizer' ? passedOn(plan.environment) : {};
      const app = processes.start({
        name: appName(nodeName),
        ...ofTask,
        ...started(
          appProgram({
            ...{ nodeName, appSocket, egressSocket, ...plan },
            markKeyArns: [plan.markKeyArn],
            eventBusName: plan.environment['TOKENMESH_EVENT_BUS'],
            ...(plan.otherRegions.length === 0 ? {} : { heartbeatSeconds: HEARTBEAT_SECONDS }),
          }),
          { ...ofNode, ...plan.databases[nodeName], ...passed },
        ),
      });
      return [node.name, { agent, app }];
    }),
  );
}

/** What the sidecar starts its Envoy with. */
export function bootstrapFile(node: NodeLayout): string {
  return join(runDirectory(node), BOOTSTRAP_FILE);
}

function runDirectory(node: NodeLayout): string {
  return join(node.directory, 'run');
}

export function sidecarName(nodeName: string): string {
  return `sidecar of ${nodeName}`;
}

export function appName(nodeName: string): string {
  return `app of ${nodeName}`;
}

function script(file: string, flags: readonly string[] = []): { command: string; arguments: string[] } {
  return { command: process.execPath, arguments: [...flags, join(PROJECT_ROOT, file)] };
}

function started({ script: file, flags, environment }: Program, shared: Record<string, string>) {
  return { ...script(file, flags), environment: { ...shared, ...environment } };
}

function sidecarOf(node: NodeLayout, { envoyBinary, sourceOf }: NodeProcessesPlan): Program {
  return sidecarProgram({
    nodeName: node.name,
    placement: node.placementFile,
    runDirectory: runDirectory(node),
    agentSocket: node.agentSocket,
    source: sourceOf(node.name),
    pace: { pollSeconds: 1, revocationPollSeconds: 0.25, crlSeconds: 10 },
    envoyBinary,
  });
}

function bulkEnvironment({ bulk, layout }: NodeProcessesPlan): Record<string, string> {
  const tokenizer = layout.nodes.find(({ name }) => name === 'tokenizer')?.listener;
  return {
    TOKENMESH_BULK_KEY_ARN: bulk.keyArn,
    TOKENMESH_BULK_RESULTS_BUCKET: bulk.resultsBucket,
    TOKENMESH_BULK_QUEUE_URLS: `${bulk.queue.url} ${bulk.orderedQueue.url}`,
    // On AWS the tokenizer's name leads there.
    TOKENMESH_TOKENIZER_ENDPOINT: `${tokenizer?.host}:${tokenizer?.port}`,
  };
}

const PASSED_ON = [
  'TOKENMESH_POLICIES_DIRECTORY',
  'TOKENMESH_LIMITS',
  'TOKENMESH_SWEEP_SECONDS',
  'TOKENMESH_BRANCH_KEY_SECONDS',
  'TOKENMESH_SEALING_THREADS',
] as const;

/** What the user may tell the tokenizer by the environment of the run. */
function passedOn(environment: NodeProcessesPlan['environment']): Record<string, string> {
  const found = PASSED_ON.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(found);
}

/** Nothing of the user's own AWS settings reaches a child. */
function childEnvironment(plan: NodeProcessesPlan): Record<string, string> {
  const inherited = Object.entries(plan.environment).filter(
    ([name, value]) =>
      value !== undefined &&
      /^(PATH|HOME|LANG|LC_ALL|TZ|TMPDIR|TOKENMESH_LOG_LEVEL|TOKENMESH_EMF_SECONDS|OTEL_EXPORTER_OTLP_ENDPOINT)$/.test(
        name,
      ),
  );
  return {
    ...(Object.fromEntries(inherited) as Record<string, string>),
    AWS_REGION: plan.region,
    AWS_ENDPOINT_URL: plan.endpointUrl,
    AWS_ACCESS_KEY_ID: EMULATOR_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: EMULATOR_CREDENTIALS.secretAccessKey,
    NODE_COMPILE_CACHE: join(PROJECT_ROOT, '.tokenmesh', 'compile-cache'),
  };
}
