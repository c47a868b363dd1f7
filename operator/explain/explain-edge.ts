/**
 * Why a caller may or may not call: layer by layer, in the order in which a connection and a request meet
 * them, each with the fact that it stems from.
 *
 * @module
 */

import type { Mesh } from '../../mesh/definition.ts';
import { memberOf } from '../../mesh/edges.ts';
import { identityOf, memberNames } from '../../mesh/identity.ts';
import { nodeState, type RunState } from '../run-state.ts';
import { OUTSIDE } from '../tap/seen-request.ts';
import { bootstrapFacts, type BootstrapFacts } from './bootstrap-facts.ts';
import { connectionLayers } from './connection-layers.ts';
import type { AskedEdge } from './edge-question.ts';
import { DEFINITION, type Layer } from './layer.ts';
import { vaultRights, type VaultRight } from './vault-rights.ts';

export interface ExplainedOperation {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly permitted: boolean;
  /** Who may, as the listener's Envoy was told. */
  readonly callers: readonly string[] | 'anyone';
  /** Permitted to the caller and not to every member, as health is. */
  readonly isGranted: boolean;
}

export interface Explanation {
  readonly from: string;
  readonly to: string;
  readonly mode: string;
  /** Whether the caller gets through to something that is granted to it, and not to every member. */
  readonly ok: boolean;
  readonly layers: readonly Layer[];
  readonly operations: readonly ExplainedOperation[];
  /** What the policy of the tokenizer grants; empty where something else is called. */
  readonly rights: readonly VaultRight[];
}

export async function explainEdge(
  mesh: Mesh,
  state: RunState,
  edge: AskedEdge,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Explanation> {
  const caller = edge.from === OUTSIDE ? undefined : nodeState(state, edge.from);
  const callee = edge.to === undefined ? undefined : nodeState(state, edge.to);
  const told = {
    caller: caller === undefined ? undefined : await bootstrapFacts(caller.bootstrapFile),
    callee: callee === undefined ? undefined : await bootstrapFacts(callee.bootstrapFile),
  };
  const connecting = await connectionLayers(mesh, state, edge, told);
  const operations = told.callee === undefined ? [] : operationsOf(mesh, edge, told.callee);
  const rights = edge.to === 'tokenizer' ? await vaultRights(mesh, edge.from, environment) : [];
  const layers = [...connecting, ...token(mesh, edge), ...rbac(edge, operations), ...policy(edge, rights)];
  const connects = connecting.every(({ ok }) => ok);
  const isGranted = edge.to === undefined || operations.some((each) => each.isGranted);
  return {
    from: edge.from,
    to: edge.service,
    mode: edge.mode,
    ok: connects && isGranted,
    layers,
    operations,
    rights,
  };
}

function operationsOf(mesh: Mesh, { from, to, mode }: AskedEdge, told: BootstrapFacts): ExplainedOperation[] {
  const own = from === OUTSIDE || mode !== 'mtls' ? undefined : identityOf(mesh, from);
  const offered = memberOf(mesh, to ?? '')?.listener.operations ?? [];
  return offered.map(({ name, method, path }) => {
    const callers = told.rules.get(name) ?? [];
    const permitted = callers === 'anyone' || (own !== undefined && callers.includes(own));
    const isForAll = callers !== 'anyone' && callers.length === memberNames(mesh).length;
    return { name, method, path, permitted, callers, isGranted: permitted && !isForAll };
  });
}

function token(mesh: Mesh, { from, to }: AskedEdge): Layer[] {
  if (from !== OUTSIDE || mesh.virtualGateways[to ?? '']?.authentication === undefined) return [];
  return [
    {
      layer: 'token',
      ok: true,
      says: `${to} takes whoever shows an access token with the scope of the operation`,
      fact: `authentication of ${to}, and the scope of each operation, in ${DEFINITION}`,
    },
  ];
}

function rbac({ from, to }: AskedEdge, operations: readonly ExplainedOperation[]): Layer[] {
  if (to === undefined) return [];
  const count = operations.filter(({ permitted }) => permitted).length;
  const granted = operations.filter(({ isGranted }) => isGranted).length;
  const andNoMore = granted === 0 && count > 0 ? ', none but those that every member may' : '';
  return [
    {
      layer: 'RBAC',
      ok: granted > 0,
      says: `${to}'s Envoy lets ${from} call ${count} of ${operations.length} operations${andNoMore}`,
      fact: `the RBAC filter in ${to}'s bootstrap, from the calls of the members in ${DEFINITION}`,
    },
  ];
}

function policy({ from, to }: AskedEdge, rights: readonly VaultRight[]): Layer[] {
  if (to !== 'tokenizer') return [];
  const count = rights.filter(({ classes }) => classes.length > 0).length;
  return [
    {
      layer: 'policy',
      ok: count > 0,
      says: count > 0 ? `the policy lets ${from} do ${count} things` : `the policy lets ${from} do nothing`,
      fact: `vaultAccess of ${from} in ${DEFINITION}, and the policy files`,
    },
  ];
}
