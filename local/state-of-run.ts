import { certificateSourceOf } from '../mesh/certificate-source.ts';
import type { Mesh } from '../mesh/definition.ts';
import { identityOf } from '../mesh/identity.ts';
import type { BulkState, NodeState, RunState } from '../operator/run-state.ts';
import { TABLES, type VaultResources } from './aws/resources.ts';
import type { CreatedUserPool } from './aws/user-pool.ts';
import type { Layout, NodeLayout } from './layout.ts';
import { authoritiesOf, authorityFile, type MadePki } from './made-pki.ts';
import { bootstrapFile, sidecarName } from './node-processes.ts';
import { logFileOf } from './processes.ts';
import { regionsStateOf, type MeshRegion } from './regions/mesh-region.ts';

/** Of every emulated account. */
const ACCOUNT_ID = '123456789012';

/** What was made in the emulated AWS. */
export interface MadeResources extends MadePki, VaultResources {
  readonly bulk: BulkState;
  readonly userPool: CreatedUserPool | undefined;
}

export interface StartedMesh {
  readonly mesh: Mesh;
  readonly directory: string;
  readonly layout: Layout;
  readonly aws: { readonly endpointUrl: string; readonly region: string };
  /** Of a mesh that is one of several. */
  readonly region: MeshRegion | undefined;
  readonly eventBusName: string | undefined;
  readonly made: MadeResources;
  readonly pids: ReadonlyMap<string, NodeState['pids']>;
}

/** What the operator's command is told of a run; its dashboard is served later. */
export function stateOfRun(started: StartedMesh): RunState {
  const { mesh, directory, layout, aws, region, eventBusName, made } = started;
  const gateway = layout.nodes.find((node) => node.name in mesh.virtualGateways);
  return {
    pid: process.pid,
    startedAt: new Date().toISOString(),
    directory,
    dashboardUrl: '',
    gatewayUrl: `https://localhost:${gateway?.listener.port}`,
    ...(made.userPool === undefined ? {} : { authentication: made.userPool.state }),
    aws: { ...aws, accountId: ACCOUNT_ID },
    ...(region === undefined ? {} : { regions: regionsStateOf(region, directory) }),
    tables: TABLES,
    vaultKeyArn: made.vaultKeyArn,
    auditKeyArn: made.auditKeyArn,
    bulk: made.bulk,
    ...(eventBusName === undefined ? {} : { eventBusName }),
    nodes: layout.nodes.map((node) => stateOfNode(started, node)),
    cas: authoritiesOf(made).map(({ name, arn }) => ({
      name,
      arn,
      certificate: authorityFile(directory, name),
    })),
  };
}

function stateOfNode({ mesh, directory, made, pids }: StartedMesh, node: NodeLayout): NodeState {
  return {
    name: node.name,
    identity: identityOf(mesh, node.name),
    listener: node.listener,
    adminUrl: node.adminUrl,
    egressSocket: node.egressSocket,
    bootstrapFile: bootstrapFile(node),
    sidecarLog: logFileOf(directory, sidecarName(node.name)),
    agentSocket: node.agentSocket,
    ...(node.appSocket === undefined ? {} : { appSocket: node.appSocket }),
    pids: pids.get(node.name) ?? { agent: 0 },
    certificateArns: made.certificates[node.name] ?? { client: '', server: '' },
    certificateSource: certificateSourceOf(mesh, node.name).kind,
  };
}
