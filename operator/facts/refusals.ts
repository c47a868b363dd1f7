import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Mesh } from '../../mesh/definition.ts';
import { intrusionsOf } from '../checks/expected.ts';
import { INTRUSIONS, type Intrusion, type RefusalFacts } from '../checks/refusals.ts';
import { nodeNames } from '../../mesh/identity.ts';
import { nodeState, type NodeState, type RunState } from '../run-state.ts';
import type { ListenerCounters, ProbeOutcome } from '../checks/seen.ts';
import { listenerCounters } from './envoy-admin.ts';
import type { Looking } from './looking.ts';
import { credentialsIn, credentialsOf, HEALTH_PATH, probeListener } from './listener.ts';
import { probePlaintext } from './probe.ts';

/** Tries every listener in every way that it must refuse. */
export async function refusalFacts(looking: Looking, mesh: Mesh, state: RunState): Promise<RefusalFacts[]> {
  const tries = nodeNames(mesh).flatMap((name) =>
    intrusionsOf(mesh, name).map((intrusion) => ({ name, intrusion })),
  );
  return await looking.atEach(
    'refusals',
    tries,
    ({ name }) => name,
    async ({ name, intrusion }) => {
      const node = nodeState(state, name);
      const before = await listenerCounters(node.adminUrl);
      const outcome = await intrude(state, node, intrusion);
      const after = await countedAfter(node, before, intrusion);
      return { listener: name, intrusion, outcome, before, after };
    },
  );
}

/** Envoy counts on its worker threads and sums up within milliseconds: looked at again for a moment. */
async function countedAfter(
  node: NodeState,
  before: ListenerCounters,
  intrusion: Intrusion,
): Promise<ListenerCounters> {
  const { counter } = INTRUSIONS[intrusion];
  for (let look = 0; look < 10; look += 1) {
    const after = await listenerCounters(node.adminUrl);
    if (after[counter] > before[counter]) return after;
    await sleep(20);
  }
  return await listenerCounters(node.adminUrl);
}

async function intrude(state: RunState, node: NodeState, intrusion: Intrusion): Promise<ProbeOutcome> {
  const member = await credentialsOf(state, 'order');
  switch (intrusion) {
    case 'plaintext':
      return await probePlaintext(node.listener, node.identity, HEALTH_PATH);
    case 'no-certificate':
      return await probeListener(state, node, undefined);
    case 'tls-1.2':
      return await probeListener(state, node, member, 'TLSv1.2');
    case 'other-ca':
    case 'expired':
    case 'other-name':
      return await probeListener(
        state,
        node,
        await credentialsIn(join(state.directory, 'probes', intrusion)),
      );
  }
}
