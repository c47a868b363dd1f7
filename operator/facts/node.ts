import type { Placement } from '../../mesh/envoy/types.ts';
import type { ListenerCounters } from '../checks/seen.ts';
import { sidecarStatus, type SidecarStatus } from './agent.ts';
import { listenerCounters } from './envoy-admin.ts';

/** What can be seen of a node from within. What did not answer is left out. */
export interface NodeFacts {
  readonly node: string;
  readonly at: string;
  readonly sidecar?: SidecarStatus;
  readonly listener?: ListenerCounters;
}

export async function nodeFacts(
  node: string,
  agentSocket: string,
  admin: Placement['admin'],
): Promise<NodeFacts> {
  const [sidecar, listener] = await Promise.all([
    sidecarStatus(agentSocket),
    listenerCounters(admin).catch(() => undefined),
  ]);
  return {
    node,
    at: new Date().toISOString(),
    ...(sidecar === undefined ? {} : { sidecar }),
    ...(listener === undefined ? {} : { listener }),
  };
}
