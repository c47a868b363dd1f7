import type { EdgeMode, Mesh } from '../../mesh/definition.ts';
import { edgesOf, listenerMode } from '../../mesh/edges.ts';
import { OUTSIDE } from '../checks/expected.ts';
import type { EdgeFacts } from '../checks/mtls.ts';
import { nodeState, type RunState } from '../run-state.ts';
import { listenerCounters } from './envoy-admin.ts';
import type { Looking } from './looking.ts';
import { credentialsOf, probeListener } from './listener.ts';
import { peerCheck } from './through-egress.ts';

/** Looks at every edge between Envoys of ours, and at the way in from outside. */
export async function edgeFacts(looking: Looking, mesh: Mesh, state: RunState): Promise<EdgeFacts[]> {
  const outside = Object.entries(mesh.virtualGateways).map(([to, { listener }]) => ({
    from: OUTSIDE,
    to,
    virtualService: to,
    mode: listenerMode(listener),
  }));
  const inside = edgesOf(mesh).flatMap((edge) => (edge.to === undefined ? [] : [{ ...edge, to: edge.to }]));
  return await looking.atEach(
    'mtls',
    [...outside, ...inside],
    ({ from, to }) => `${from} -> ${to}`,
    async (edge) => await lookAtEdge(state, edge),
  );
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
