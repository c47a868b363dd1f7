import type { EdgeMode, Mesh } from '../../mesh/definition.ts';
import { edgesOf, listenerMode } from '../../mesh/edges.ts';
import type { EdgeFacts } from '../checks/mtls.ts';
import { nodeState, type RunState } from '../run-state.ts';
import { listenerCounters } from './envoy-admin.ts';
import { credentialsOf, probeListener } from './listener.ts';
import { peerCheck } from './through-egress.ts';

/** What stands for the callers outside the mesh. */
const OUTSIDE = 'outside';

/** Looks at every edge between Envoys of ours, and at the way in from outside. */
export async function edgeFacts(mesh: Mesh, state: RunState): Promise<EdgeFacts[]> {
  const facts: EdgeFacts[] = [];
  for (const [name, gateway] of Object.entries(mesh.virtualGateways)) {
    const mode = listenerMode(gateway.listener);
    facts.push(await lookAtEdge(state, { from: OUTSIDE, to: name, virtualService: name, mode }));
  }
  for (const edge of edgesOf(mesh)) {
    if (edge.to !== undefined) facts.push(await lookAtEdge(state, { ...edge, to: edge.to }));
  }
  return facts;
}

async function lookAtEdge(
  state: RunState,
  edge: { from: string; to: string; virtualService: string; mode: EdgeMode },
): Promise<EdgeFacts> {
  const to = nodeState(state, edge.to);
  const from = edge.from === OUTSIDE ? undefined : nodeState(state, edge.from);
  const before = await listenerCounters(to.adminUrl);
  const credentials =
    from === undefined || edge.mode !== 'mtls' ? undefined : await credentialsOf(state, from.name);
  const probe = await probeListener(state, to, credentials);
  const seenAs =
    from === undefined || edge.mode !== 'mtls'
      ? undefined
      : await peerCheck(from.egressSocket, edge.virtualService);
  return {
    from: edge.from,
    to: edge.to,
    mode: edge.mode,
    probe,
    before,
    after: await listenerCounters(to.adminUrl),
    ...(seenAs === undefined ? {} : { seenAs }),
    expectedIdentity: from?.identity ?? '',
  };
}
