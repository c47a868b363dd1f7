import { TokenmeshError } from '../../../errors/error.ts';
import { FIELD_CLASS_NAMES, type FieldClass } from './field-class.ts';
import type { FieldOperation, Policy } from './policy.ts';
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

export function mayDo(policy: Policy, caller: Caller, question: FieldQuestion): boolean {
  return policy.permits({
    identity: caller.identity,
    kind: RANDOM_KIND,
    format: DEFAULT_FORMAT,
    ...question,
  });
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
  if (FIELD_CLASS_NAMES.some((name) => mayDo(policy, caller, { operation, tenant, class: name }))) return;
  throw operationDenied(caller, OPERATION_WORDS[operation]);
}

/** @throws {TokenmeshError} `ERR_CLASS_DENIED`, naming every class that is denied. */
export function requireClasses(
  policy: Policy,
  caller: Caller,
  operation: FieldOperation,
  tenant: string,
  classes: readonly FieldClass[],
  traits: TokenTraits = {},
): void {
  const denied = [...new Set(classes)].filter(
    (name) => !mayDo(policy, caller, { ...traits, operation, tenant, class: name }),
  );
  if (denied.length > 0) throw classDenied(caller, operation, denied);
}

export function classDenied(
  caller: Caller,
  operation: FieldOperation,
  classes: readonly FieldClass[],
): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_CLASS_DENIED',
    message: `${caller.identity} may not ${OPERATION_WORDS[operation]} fields of class ${classes.join(', ')}`,
    remedy: "grant the class to the caller's node in the mesh definition, or leave the field out",
  });
}

export function operationDenied(caller: { readonly identity: string }, operation: string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_OPERATION_DENIED',
    message: `${caller.identity} may not ${operation} fields of any class`,
    remedy: "grant the operation to the caller's node in the mesh definition",
  });
}

/** What is told of each operation to who may not do it. */
const OPERATION_WORDS: Readonly<Record<FieldOperation, string>> = {
  tokenize: 'tokenize',
  'reveal-masked': 'detokenize',
  'reveal-plain': 'detokenize',
  'read-metadata': 'read the metadata of',
  delete: 'delete',
};

export const FIELD_OPERATION_NAMES = Object.keys(OPERATION_WORDS) as readonly FieldOperation[];
