/**
 * The processes of the nodes: for each a sidecar and an app, started as the images start them.
 *
 * @module
 */

import { join } from 'node:path';
import type { RenderedSource } from '../mesh/certificate-source.ts';
import { EMULATOR_CREDENTIALS } from '../operator/aws-clients.ts';
import type { BulkState, NodeState } from '../operator/run-state.ts';
import { EXIT_ENVOY_ENDED } from '../sidecar/envoy/envoy-process.ts';
import { NODE_FLAGS, PROCESS_ENVIRONMENT } from '../sidecar/tokenizer/process-options.ts';
import { TABLES } from './aws/resources.ts';
import type { Layout, NodeLayout } from './layout.ts';
import type { DatabaseEnvironments } from './mysql/local-database.ts';
import type { Processes } from './processes.ts';

const PROJECT_ROOT = join(import.meta.dirname, '..');

export interface NodeProcessesPlan {
  readonly layout: Layout;
  readonly envoyBinary: string;
  readonly vaultKeyArn: string;
  readonly auditKeyArn: string;
  readonly bulk: BulkState;
  /** What an app is told beside, by the name of its node. */
  readonly databases: DatabaseEnvironments;
  readonly processorPort: number;
  readonly endpointUrl: string;
  readonly region: string;
  /** Where a node's certificates come from. */
  readonly sourceOf: (nodeName: string) => RenderedSource;
  /** The user's. */
  readonly environment: Readonly<Record<string, string | undefined>>;
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
      const agent = processes.start({
        name: `sidecar of ${node.name}`,
        ...script('sidecar/envoy/main.ts'),
        environment: { ...environment, ...sidecarEnvironment(node, plan) },
        exitCodeMeans: { [EXIT_ENVOY_ENDED]: `Envoy of ${node.name}` },
      });
      if (node.appSocket === undefined) return [node.name, { agent }];
      const app = processes.start({
        name: `app of ${node.name}`,
        ...(node.name === 'tokenizer'
          ? script('sidecar/tokenizer/main.ts', NODE_FLAGS)
          : script(`sample-apps/${node.name}/main.ts`)),
        environment: {
          ...environment,
          ...appEnvironment(node, node.appSocket, plan),
          ...plan.databases[node.name],
          ...(node.name === 'tokenizer' ? tokenizerEnvironment(plan.environment) : {}),
        },
      });
      return [node.name, { agent, app }];
    }),
  );
}

function script(file: string, flags: readonly string[] = []): { command: string; arguments: string[] } {
  return { command: process.execPath, arguments: [...flags, join(PROJECT_ROOT, file)] };
}

function sidecarEnvironment(
  node: NodeLayout,
  { envoyBinary, sourceOf }: NodeProcessesPlan,
): Record<string, string> {
  return {
    TOKENMESH_NODE: node.name,
    TOKENMESH_PLACEMENT: node.placementFile,
    TOKENMESH_RUN_DIRECTORY: join(node.directory, 'run'),
    TOKENMESH_AGENT_SOCKET: node.agentSocket,
    TOKENMESH_POLL_SECONDS: '1',
    TOKENMESH_REVOCATION_POLL_SECONDS: '0.25',
    TOKENMESH_CRL_SECONDS: '10',
    TOKENMESH_CERTIFICATE_SOURCE: JSON.stringify(sourceOf(node.name)),
    ENVOY_BIN: envoyBinary,
  };
}

function appEnvironment(
  node: NodeLayout,
  appSocket: string,
  { vaultKeyArn, auditKeyArn }: NodeProcessesPlan,
): Record<string, string> {
  return {
    TOKENMESH_APP_SOCKET: appSocket,
    TOKENMESH_EGRESS_SOCKET: node.egressSocket,
    TOKENMESH_TOKENS_TABLE: TABLES.tokens,
    TOKENMESH_KEYS_TABLE: TABLES.keys,
    TOKENMESH_KMS_KEY_ARN: vaultKeyArn,
    TOKENMESH_AUDIT_TABLE: TABLES.audit,
    TOKENMESH_FINGERPRINTS_TABLE: TABLES.fingerprints,
    TOKENMESH_AUDIT_KEY_ID: auditKeyArn,
    ORDERS_TABLE: TABLES.orders,
  };
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
function tokenizerEnvironment(environment: NodeProcessesPlan['environment']): Record<string, string> {
  const passedOn = PASSED_ON.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...PROCESS_ENVIRONMENT, ...Object.fromEntries(passedOn) };
}

/** Nothing of the user's own AWS settings reaches a child. */
function childEnvironment(plan: NodeProcessesPlan): Record<string, string> {
  const inherited = Object.entries(plan.environment).filter(
    ([name, value]) =>
      value !== undefined && /^(PATH|HOME|LANG|LC_ALL|TZ|TMPDIR|TOKENMESH_LOG_LEVEL)$/.test(name),
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
