/**
 * A line of Envoy's access log as a request that somebody may look at.
 *
 * Nothing is taken over as it stands: a route must be one of the definition, an identity one of the mesh,
 * an id of the form that Envoy makes. So no text that a caller chose gets through, whatever the log holds.
 *
 * @module
 */

import type { Mesh, Operation } from '../../mesh/definition.ts';
import { DENY_LIST } from '../../mesh/envoy/deny-list.ts';
import { PEER_CHECK } from '../../mesh/envoy/inbound.ts';
import { memberOf } from '../../mesh/edges.ts';
import { nodeOfIdentity } from '../../mesh/identity.ts';

/** Who is behind a connection that proves nothing, as any caller of a gateway's. */
export const OUTSIDE = 'outside';

export interface SeenRequest {
  /** When it came, ISO 8601. */
  readonly at: string;
  readonly node: string;
  readonly direction: 'inbound' | 'outbound';
  /** Inbound: the node that the certificate names, or {@link OUTSIDE}. Outbound: the virtual service. */
  readonly peer: string;
  /** Of the definition. Left out where the request fits none, and for what goes out: the far end names it. */
  readonly operation?: Pick<Operation, 'name' | 'method' | 'path'>;
  readonly status: number;
  readonly durationMs: number;
  /** Why there was no proper answer, in Envoy's letters: `UF`, `UT`. */
  readonly flags?: string;
  readonly requestId?: string;
  /** What the mesh decided, and by which rule: the name of an operation, or one of {@link DENIED_BY}. */
  readonly mesh?: { readonly verdict: 'allowed' | 'denied'; readonly rule: string };
  /** What the tokenizer recorded of it: how it ended, and the policies that decided. */
  readonly policy?: { readonly outcome: string; readonly ids: readonly string[] };
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const REQUEST_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const FLAGS = /^[A-Za-z]{2,}(?:,[A-Za-z]{2,})*$/;

/** @returns Undefined for any other line, such as one of the agent's own. */
export function seenRequest(mesh: Mesh, node: string, line: string): SeenRequest | undefined {
  const entry = entryIn(line);
  if (entry === undefined) return undefined;
  const { direction, status, durationMs, time } = entry;
  if (direction !== 'inbound' && direction !== 'egress') return undefined;
  if (typeof status !== 'number' || typeof durationMs !== 'number' || !fits(TIME, time)) return undefined;
  const flags = entry['flags'];
  const requestId = entry['requestId'];
  return {
    at: time,
    node,
    ...(direction === 'inbound' ? inbound(mesh, node, entry) : outbound(mesh, node, entry)),
    status,
    durationMs,
    ...(fits(FLAGS, flags) ? { flags } : {}),
    ...(fits(REQUEST_ID, requestId) ? { requestId } : {}),
  };
}

type Entry = Readonly<Record<string, unknown>>;
type Side = Pick<SeenRequest, 'direction' | 'peer' | 'operation' | 'mesh'>;

function inbound(mesh: Mesh, node: string, { peer, route, details }: Entry): Side {
  const operation = operationNamed(mesh, node, route);
  const decision = decided(details, operation?.name);
  return {
    direction: 'inbound',
    peer: (typeof peer === 'string' ? nodeOfIdentity(mesh, peer) : undefined) ?? OUTSIDE,
    ...(operation === undefined ? {} : { operation }),
    ...(decision === undefined ? {} : { mesh: decision }),
  };
}

function outbound(mesh: Mesh, node: string, { route }: Entry): Side {
  const backend = memberOf(mesh, node)?.backends.find((each) => each.virtualService === route);
  const isOwn = route === PEER_CHECK.name;
  return {
    direction: 'outbound',
    peer: backend?.virtualService ?? (isOwn ? PEER_CHECK.name : 'unknown'),
    ...(isOwn ? { operation: shown(PEER_CHECK) } : {}),
  };
}

function operationNamed(mesh: Mesh, node: string, route: unknown): SeenRequest['operation'] {
  if (route === PEER_CHECK.name) return shown(PEER_CHECK);
  const operation = memberOf(mesh, node)?.listener.operations.find(({ name }) => name === route);
  return operation === undefined ? undefined : shown(operation);
}

function shown({ name, method, path }: Operation): NonNullable<SeenRequest['operation']> {
  return { name, method, path };
}

/** RBAC has one rule for each operation, which fits its route: what it let through, that rule let through. */
function decided(details: unknown, operation: string | undefined): SeenRequest['mesh'] {
  const [, rule] = DENIED_BY.find(([start]) => String(details).startsWith(start)) ?? [];
  if (rule !== undefined) return { verdict: 'denied', rule };
  return operation === undefined ? undefined : { verdict: 'allowed', rule: operation };
}

const RBAC_DENIED = 'rbac_access_denied_matched_policy[';

/** How the details of a refusal begin, and what it was that refused; the first that fits counts. */
export const DENIED_BY = [
  [`${RBAC_DENIED}${DENY_LIST}]`, 'deny list'],
  [`${RBAC_DENIED}token:`, 'token'],
  [`${RBAC_DENIED}scope:`, 'scope'],
  [RBAC_DENIED, 'none'],
  ['jwt_authn_access_denied{', 'token'],
  ['local_rate_limited', 'rate'],
] as const;

function entryIn(line: string): Entry | undefined {
  if (!line.startsWith('{') || !line.includes('"direction":')) return undefined;
  try {
    return JSON.parse(line) as Entry;
  } catch {
    return undefined;
  }
}

function fits(form: RegExp, text: unknown): text is string {
  return typeof text === 'string' && form.test(text);
}
