import type { Mesh } from '../../mesh/definition.ts';
import { PEER_CHECK } from '../../mesh/envoy/inbound.ts';
import type { AuditReader } from '../../sidecar/tokenizer/core/audit/ports.ts';
import type { NodeState } from '../run-state.ts';
import { followFile, type FollowOptions } from './follow-file.ts';
import { withDecisions } from './recorded-decisions.ts';
import { seenRequest, type SeenRequest } from './seen-request.ts';

/** What is shown; each that is left out lets everything through. */
export interface TapFilter {
  readonly direction?: SeenRequest['direction'];
  readonly peer?: string;
  readonly operation?: string;
  /** `403`, or `4xx`. */
  readonly status?: string;
  /** The questions that agents ask each other too, many a minute. */
  readonly all?: boolean;
}

export interface TapParts {
  readonly mesh: Mesh;
  readonly node: NodeState;
  /** Where the node is the tokenizer: what it recorded. */
  readonly audit?: AuditReader;
}

/** The requests of one node as its own Envoy saw them, as they come, some at a time. */
export async function* tapNode(
  { mesh, node, audit }: TapParts,
  filter: TapFilter,
  options: FollowOptions,
): AsyncGenerator<readonly SeenRequest[]> {
  for await (const lines of followFile(node.sidecarLog, options)) {
    const seen = lines.flatMap((line) => seenRequest(mesh, node.name, line) ?? []);
    const shown = seen.filter((request) => isShown(request, filter));
    if (shown.length > 0) yield audit === undefined ? shown : await withDecisions(audit, shown);
  }
}

function isShown(request: SeenRequest, { direction, peer, operation, status, all }: TapFilter): boolean {
  if (all !== true && request.operation?.name === PEER_CHECK.name) return false;
  return (
    (direction === undefined || request.direction === direction) &&
    (peer === undefined || request.peer === peer) &&
    (operation === undefined || request.operation?.name === operation) &&
    (status === undefined || statusFits(request.status, status))
  );
}

function statusFits(status: number, wanted: string): boolean {
  return wanted.endsWith('xx') ? `${status}`.startsWith(wanted.slice(0, 1)) : `${status}` === wanted;
}
