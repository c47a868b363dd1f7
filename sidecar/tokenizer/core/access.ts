import { TokenmeshError } from '../../../errors/error.ts';
import { FIELD_CLASS_NAMES, type FieldClass } from './field-class.ts';
import { PolicyDeniedError } from './errors.ts';
import type { FieldOperation, Policy, PolicyDecision } from './policy.ts';
import type { TokenRecord } from './ports.ts';
import { DEFAULT_FORMAT, RANDOM_KIND } from './token-kind.ts';
import type { Caller } from './vault.ts';

/** @throws {TokenmeshError} `ERR_TENANT_DENIED` for a tenant that is not one of the caller's. */
export function tenantOf(caller: Caller, wanted: string | undefined): string {
  const tenant = wanted ?? caller.access.tenants[0];
  if (tenant !== undefined && caller.access.tenants.includes(tenant)) return tenant;
  throw new TokenmeshError({
    code: 'ERR_TENANT_DENIED',
    message: `${caller.identity} may not use this tenant: expected one of ${caller.access.tenants.join(', ')}`,
    remedy: "leave the tenant out, or name one that the mesh definition grants to the caller's node",
  });
}

/** What a policy may ask about a token. Left out, it is of the kind `random` in the format `default`. */
export interface TokenTraits {
  readonly kind?: string;
  readonly format?: string;
  /** Whether there are fewer than a million tokens like it. */
  readonly smallFormat?: boolean;
}

export function traitsOf({ kind = RANDOM_KIND, format = DEFAULT_FORMAT }: TokenRecord): TokenTraits {
  return { kind, format };
}

export interface FieldQuestion extends TokenTraits {
  readonly operation: FieldOperation;
  readonly tenant: string;
  readonly class: FieldClass;
  readonly purpose?: string;
}

export function decide(policy: Policy, caller: Caller, question: FieldQuestion): PolicyDecision {
  return policy.decide({
    identity: caller.identity,
    kind: RANDOM_KIND,
    format: DEFAULT_FORMAT,
    ...question,
  });
}

export function mayDo(policy: Policy, caller: Caller, question: FieldQuestion): boolean {
  return decide(policy, caller, question).permitted;
}

/**
 * Refuses a caller who may do this with no class at all, before anything is looked up:
 * whether a token exists is not for everybody to know.
 *
 * @throws {TokenmeshError} `ERR_OPERATION_DENIED`
 */
export function requireOperation(
  policy: Policy,
  caller: Caller,
  operation: FieldOperation,
  tenant: string,
): void {
  const decisions = FIELD_CLASS_NAMES.map((name) =>
    decide(policy, caller, { operation, tenant, class: name }),
  );
  if (decisions.some(({ permitted }) => permitted)) return;
  throw operationDenied(caller, OPERATION_WORDS[operation], idsOf(decisions));
}

/**
 * @returns The ids of the policies that permit it.
 * @throws {PolicyDeniedError} `ERR_CLASS_DENIED`, naming every class that is denied.
 */
export function requireClasses(
  policy: Policy,
  caller: Caller,
  operation: FieldOperation,
  tenant: string,
  classes: readonly FieldClass[],
  traits: TokenTraits = {},
): readonly string[] {
  const asked = [...new Set(classes)].map((name) => ({
    name,
    decision: decide(policy, caller, { ...traits, operation, tenant, class: name }),
  }));
  const denied = asked.filter(({ decision }) => !decision.permitted);
  if (denied.length === 0) return idsOf(asked.map(({ decision }) => decision));
  throw classDenied(
    caller,
    operation,
    denied.map(({ name }) => name),
    idsOf(denied.map(({ decision }) => decision)),
  );
}

/** The policies behind some decisions, each once. */
export function idsOf(decisions: readonly PolicyDecision[]): readonly string[] {
  return [...new Set(decisions.flatMap(({ policyIds }) => policyIds))].toSorted();
}

export function classDenied(
  caller: Caller,
  operation: FieldOperation,
  classes: readonly FieldClass[],
  policyIds: readonly string[],
): PolicyDeniedError {
  return new PolicyDeniedError({
    code: 'ERR_CLASS_DENIED',
    message: `${caller.identity} may not ${OPERATION_WORDS[operation]} fields of class ${classes.join(', ')}`,
    remedy: "grant the class to the caller's node in the mesh definition, or leave the field out",
    policyIds,
  });
}

export function operationDenied(
  caller: { readonly identity: string },
  operation: string,
  policyIds: readonly string[] = [],
): PolicyDeniedError {
  return new PolicyDeniedError({
    code: 'ERR_OPERATION_DENIED',
    message: `${caller.identity} may not ${operation} fields of any class`,
    remedy: "grant the operation to the caller's node in the mesh definition",
    policyIds,
  });
}

/** What is told of each operation to who may not do it. */
const OPERATION_WORDS: Readonly<Record<FieldOperation, string>> = {
  tokenize: 'tokenize',
  'reveal-masked': 'detokenize',
  'reveal-plain': 'detokenize',
  'read-metadata': 'read the metadata of',
  delete: 'delete',
  archive: 'archive or restore',
  search: 'search',
  'check-value': 'ask for the existence of',
  'check-token': 'ask for the tokens of',
};

export const FIELD_OPERATION_NAMES = Object.keys(OPERATION_WORDS) as readonly FieldOperation[];
