/**
 * Who may do what with which class of field: the question, and the answer as
 * Cedar policies made from the mesh definition.
 *
 * @module
 */

import type { Mesh, VaultAccess, VaultGrant, VaultOperation } from '../../../mesh/definition.ts';
import { identityOf } from '../../../mesh/identity.ts';
import { vaultAccessOf, vaultCallers } from '../../../mesh/vault-access.ts';
import { TokenmeshError } from '../../../errors/error.ts';
import type { FieldClass } from './field-class.ts';

/** What is done with one field. A reveal is asked for in the form that is wanted. */
export type FieldOperation = Exclude<VaultOperation, 'detokenize'> | 'reveal-masked' | 'reveal-plain';

export interface PolicyRequest {
  readonly identity: string;
  readonly operation: FieldOperation;
  readonly tenant: string;
  readonly class: FieldClass;
  /** Why a value is revealed. Absent where no reason was given, and where there is nothing to reveal. */
  readonly purpose?: string;
  readonly kind: string;
  readonly format: string;
  /** Whether there are fewer than a million tokens like the one that is wanted. @default false */
  readonly smallFormat?: boolean;
}

export interface PolicyDecision {
  readonly permitted: boolean;
  /**
   * The policies that made it so, in order: every `permit` that fits, or every `forbid` that does.
   * None where nothing fits, which is denied by default.
   */
  readonly policyIds: readonly string[];
}

/** Denies what nothing permits, and whatever it cannot decide. */
export interface Policy {
  decide(request: PolicyRequest): PolicyDecision;
  permits(request: PolicyRequest): boolean;
}

/** Begins the id of every policy that is made from the mesh definition, and of no other. */
export const MESH_POLICY_PREFIX = 'mesh.';

/**
 * The Cedar policies of a mesh: one for each grant, and one more for each grant that shows values in plain.
 *
 * Nothing else permits anything, so a node without a grant is denied, as Cedar's default is.
 */
export function compilePolicies(mesh: Mesh): string {
  return vaultCallers(mesh)
    .flatMap((nodeName) =>
      policiesOf({ nodeName, identity: identityOf(mesh, nodeName) }, vaultAccessOf(mesh, nodeName)),
    )
    .join('\n');
}

export interface Grantee {
  readonly nodeName: string;
  readonly identity: string;
}

/** The policies of one grantee: what its grants permit, and nothing else. */
export function policiesOf(grantee: Grantee, access: VaultAccess | undefined): string[] {
  if (access === undefined) return [];
  return access.grants.flatMap((grant, index) => {
    // A second grant of the same operation needs an id of its own.
    const earlier = access.grants.slice(0, index).filter(({ operation }) => operation === grant.operation);
    const suffix = earlier.length === 0 ? '' : `.${earlier.length + 1}`;
    return [
      permit(grantee, FIELD_OPERATIONS[grant.operation], suffix, access, grant, onlyLargeFormats(grant)),
      ...(grant.operation === 'detokenize' && (grant.plainFor ?? []).length > 0
        ? [permit(grantee, 'reveal-plain', suffix, access, grant, [plainForPurpose(grant.plainFor ?? [])])]
        : []),
    ];
  });
}

const FIELD_OPERATIONS: Readonly<Record<VaultOperation, FieldOperation>> = {
  tokenize: 'tokenize',
  detokenize: 'reveal-masked',
  'read-metadata': 'read-metadata',
  delete: 'delete',
  archive: 'archive',
  search: 'search',
  'check-value': 'check-value',
  'check-token': 'check-token',
};

function permit(
  { nodeName, identity }: Grantee,
  operation: FieldOperation,
  suffix: string,
  access: VaultAccess,
  grant: VaultGrant,
  conditions: readonly string[],
): string {
  const when = [
    ...(grant.classes === '*' ? [] : [`[${grant.classes.map(classEntity).join(', ')}].contains(resource)`]),
    `${setOf(access.tenants)}.contains(context.tenant)`,
    ...conditions,
  ].join(' && ');
  return `@id(${quote(`${MESH_POLICY_PREFIX}${nodeName}.${operation}${suffix}`)})
permit (principal == Identity::${quote(identity)}, action == Action::${quote(operation)}, resource)
when { ${when} };
`;
}

function classEntity(name: string): string {
  return `FieldClass::${quote(name)}`;
}

/** A token that can be guessed is made only by who is granted it. */
function onlyLargeFormats({ operation, smallFormats }: VaultGrant): string[] {
  return operation === 'tokenize' && smallFormats !== true ? ['!context.smallFormat'] : [];
}

function plainForPurpose(purposes: readonly string[]): string {
  return `context has purpose && ${setOf(purposes)}.contains(context.purpose)`;
}

function setOf(texts: readonly string[]): string {
  return `[${texts.map(quote).join(', ')}]`;
}

/** Refuses what would need escaping: no name of a mesh does, and a policy must not be written by a name. */
function quote(text: string): string {
  if (/^[\w.-]+$/.test(text)) return `"${text}"`;
  throw new TokenmeshError({
    code: 'ERR_POLICY_NAME',
    message: `the mesh has a name that no policy can hold: expected letters, digits, ".", "_" and "-", got ${JSON.stringify(text)}`,
    remedy: 'rename the tenant, class, purpose or node in the mesh definition',
  });
}
