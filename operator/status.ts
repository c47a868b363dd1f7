import { tokenizationMesh } from '../mesh/tokenization-mesh.ts';
import { listenerMode, memberOf } from '../mesh/edges.ts';
import type { EdgeMode, Mesh } from '../mesh/definition.ts';
import { sidecarStatus } from './facts/agent.ts';
import { identityFiles, type IdentityFiles } from './identities.ts';
import type { AuthenticationState, CertificateAuthorityState, NodeState, RunState } from './run-state.ts';

export interface NodeStatus {
  readonly name: string;
  readonly identity: string;
  readonly listener: { readonly host: string; readonly port: number; readonly tls: EdgeMode };
  readonly admin: { readonly url: string };
  readonly certificates: { readonly client: IdentityFiles; readonly server: IdentityFiles };
  readonly pid: { readonly agent: number; readonly envoy?: number; readonly app?: number };
}

/** What `status --json` prints: an interface that others rely on. */
export interface MeshStatus {
  readonly gateway: { readonly url: string; readonly authentication?: AuthenticationState };
  readonly dashboard: { readonly url: string };
  readonly aws: RunState['aws'];
  readonly tables: RunState['tables'];
  readonly keys: { readonly vault: string; readonly audit: string };
  readonly nodes: readonly NodeStatus[];
  readonly cas: readonly CertificateAuthorityState[];
}

export async function meshStatus(state: RunState, mesh: Mesh = tokenizationMesh): Promise<MeshStatus> {
  return {
    gateway: {
      url: state.gatewayUrl,
      ...(state.authentication === undefined ? {} : { authentication: state.authentication }),
    },
    dashboard: { url: state.dashboardUrl },
    aws: state.aws,
    tables: state.tables,
    keys: { vault: state.vaultKeyArn, audit: state.auditKeyArn },
    nodes: await Promise.all(state.nodes.map(async (node) => await nodeStatus(mesh, state, node))),
    cas: state.cas,
  };
}

async function nodeStatus(mesh: Mesh, state: RunState, node: NodeState): Promise<NodeStatus> {
  const member = memberOf(mesh, node.name);
  const sidecar = await sidecarStatus(node.agentSocket);
  return {
    name: node.name,
    identity: node.identity,
    listener: { ...node.listener, tls: member === undefined ? 'none' : listenerMode(member.listener) },
    admin: { url: node.adminUrl },
    certificates: {
      client: identityFiles(state, node.name, 'client'),
      server: identityFiles(state, node.name, 'server'),
    },
    pid: {
      agent: node.pids.agent,
      ...(sidecar?.envoyPid === undefined ? {} : { envoy: sidecar.envoyPid }),
      ...(node.pids.app === undefined ? {} : { app: node.pids.app }),
    },
  };
}
