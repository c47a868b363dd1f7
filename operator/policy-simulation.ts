/**
 * What the running mesh would answer, worked out from the definition and the policy files alone.
 *
 * @module
 */

import type { Mesh, VaultAccess } from '../mesh/definition.ts';
import { identityOf, memberNames } from '../mesh/identity.ts';
import { vaultAccessOf } from '../mesh/vault-access.ts';
import { TokenmeshError } from '../errors/error.ts';
import { FIELD_OPERATION_NAMES } from '../sidecar/tokenizer/core/access.ts';
import { FIELD_CLASS_NAMES, type FieldClass } from '../sidecar/tokenizer/core/field-class.ts';
import type { FieldOperation, Policy } from '../sidecar/tokenizer/core/policy.ts';
import { DEFAULT_FORMAT, RANDOM_KIND } from '../sidecar/tokenizer/core/token-kind.ts';

/** A reveal as a caller asks for it: in the plainest form that the policy permits. */
const DETOKENIZE = 'detokenize';

type SimulatedOperation = FieldOperation | typeof DETOKENIZE;

export const SIMULATED_OPERATIONS: readonly SimulatedOperation[] = [DETOKENIZE, ...FIELD_OPERATION_NAMES];

interface Route {
  readonly method: string;
  readonly path: string;
  /** The same for many items: whoever may call either may do it. */
  readonly batchPath?: string;
}

const REVEAL: Route = { method: 'POST', path: '/v1/detokenize', batchPath: '/v1/detokenize/batch' };

/** The route by which each is asked for, since Envoy judges the caller first. */
const ROUTES: Readonly<Record<SimulatedOperation, Route>> = {
  tokenize: { method: 'POST', path: '/v1/tokens', batchPath: '/v1/tokens/batch' },
  detokenize: REVEAL,
  'reveal-masked': REVEAL,
  'reveal-plain': REVEAL,
  'read-metadata': { method: 'GET', path: '/v1/tokens/{token}' },
  delete: { method: 'DELETE', path: '/v1/tokens/{token}' },
  archive: { method: 'POST', path: '/v1/tokens/{token}/archive' },
  search: { method: 'POST', path: '/v1/values/search' },
  'check-value': { method: 'POST', path: '/v1/values/tokenized' },
  'check-token': { method: 'POST', path: '/v1/tokens/validate' },
};

export interface SimulationQuestion {
  /** A node of the mesh, or the whole name in a certificate. */
  readonly who: string;
  readonly operation: string;
  readonly class: string;
  /** @default what the service takes: the node's default purpose for a reveal */
  readonly purpose?: string;
  /** @default the node's first tenant */
  readonly tenant?: string;
}

export interface Simulation {
  readonly identity: string;
  readonly operation: string;
  readonly class: string;
  readonly tenant: string | null;
  readonly purpose: string | null;
  readonly permitted: boolean;
  /** Who says so: the mesh before anything is asked of the policy, or the policy. */
  readonly decidedBy: 'mesh' | 'policy';
  readonly reason: string;
  readonly policyIds: readonly string[];
  /** For a reveal: how the field comes back. */
  readonly form?: 'plain' | 'masked' | 'redacted';
}

/** @throws {TokenmeshError} `ERR_SIMULATION_QUESTION` for an operation or a class that there is not. */
export function simulate(mesh: Mesh, policy: Policy, question: SimulationQuestion): Simulation {
  const operation = oneOf('operation', question.operation, SIMULATED_OPERATIONS);
  const fieldClass = oneOf('class', question.class, FIELD_CLASS_NAMES) as FieldClass;
  const node = memberNames(mesh).find((name) => [name, identityOf(mesh, name)].includes(question.who));
  const access = node === undefined ? undefined : vaultAccessOf(mesh, node);
  const isReveal = operation === DETOKENIZE || operation.startsWith('reveal-');
  const purpose = question.purpose ?? (isReveal ? access?.defaultPurpose : undefined);
  const tenant = question.tenant ?? access?.tenants[0];
  const asked = {
    identity: node === undefined ? question.who : identityOf(mesh, node),
    operation,
    class: fieldClass,
    tenant: tenant ?? null,
    purpose: purpose ?? null,
  };
  const refusal = refusalByMesh(mesh, { node, access, tenant }, operation as SimulatedOperation);
  if (refusal !== undefined || tenant === undefined) {
    const reason = refusal ?? 'no tenant was named, and the node has none';
    return { ...asked, permitted: false, decidedBy: 'mesh', reason, policyIds: [], ...redacted(isReveal) };
  }
  const decide = (name: FieldOperation) =>
    policy.decide({
      identity: asked.identity,
      operation: name,
      tenant,
      class: fieldClass,
      ...(purpose === undefined ? {} : { purpose }),
      kind: RANDOM_KIND,
      format: DEFAULT_FORMAT,
    });
  return { ...asked, decidedBy: 'policy', ...decided(operation, decide) };
}

type Decide = (operation: FieldOperation) => ReturnType<Policy['decide']>;
type Decided = Pick<Simulation, 'permitted' | 'reason' | 'policyIds' | 'form'>;

/** As the vault asks: for a reveal first plain, then masked. */
function decided(operation: string, decide: Decide): Decided {
  if (operation !== DETOKENIZE) {
    const decision = decide(operation as FieldOperation);
    return { ...decision, reason: reasonOf(decision), ...formAsked(operation, decision.permitted) };
  }
  const plain = decide('reveal-plain');
  if (plain.permitted) return { ...plain, reason: reasonOf(plain), form: 'plain' };
  const masked = decide('reveal-masked');
  return { ...masked, reason: reasonOf(masked), form: masked.permitted ? 'masked' : 'redacted' };
}

function reasonOf({ permitted, policyIds }: ReturnType<Policy['decide']>): string {
  if (permitted) return 'a policy permits it, and none forbids it';
  return policyIds.length === 0 ? 'no policy permits it' : 'a policy forbids it';
}

function formAsked(operation: string, isPermitted: boolean): Pick<Simulation, 'form'> {
  if (!operation.startsWith('reveal-')) return {};
  if (!isPermitted) return { form: 'redacted' };
  return { form: operation === 'reveal-plain' ? 'plain' : 'masked' };
}

function redacted(isReveal: boolean): Pick<Simulation, 'form'> {
  return isReveal ? { form: 'redacted' } : {};
}

interface Asker {
  readonly node: string | undefined;
  readonly access: VaultAccess | undefined;
  readonly tenant: string | undefined;
}

/** What is refused before any policy is asked, whatever the policy files say. */
function refusalByMesh(
  mesh: Mesh,
  { node, access, tenant }: Asker,
  operation: SimulatedOperation,
): string | undefined {
  if (node === undefined) return 'the identity is not of this mesh';
  const { method, path, batchPath } = ROUTES[operation];
  const tokenizer = mesh.virtualNodes[mesh.virtualServices['tokenizer']?.provider ?? ''];
  const open = tokenizer?.listener.operations.filter(
    ({ callers }) => typeof callers === 'string' || callers.includes(node),
  );
  if (open?.some((each) => each.method === method && [path, batchPath].includes(each.path)) !== true) {
    return `Envoy does not let ${node} call ${method} ${path}`;
  }
  if (access === undefined) return `the mesh definition gives ${node} no access to the vault`;
  if (tenant === undefined || access.tenants.includes(tenant)) return undefined;
  return `the tenant is not one of ${node}: expected ${access.tenants.join(', ')}`;
}

function oneOf(what: string, given: string, known: readonly string[]): string {
  if (known.includes(given)) return given;
  throw new TokenmeshError({
    code: 'ERR_SIMULATION_QUESTION',
    message: `there is no such ${what}: expected one of ${known.join(', ')}, got another`,
    remedy: `name one of the list as the ${what}`,
  });
}
