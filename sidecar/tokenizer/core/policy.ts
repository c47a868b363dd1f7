/**
 * Who may do what with which class of field: the question, and the answer as
 * Cedar policies made from the mesh definition.
 *
 * @module
 */

import type { Mesh, VaultAccess, VaultGrant, VaultOperation } from '../../../mesh/definition.ts';
import { identityOf } from '../../../mesh/identity.ts';
import { TokenmeshError } from '../../../errors/error.ts';
import type { FieldClass } from './field-class.ts';

/** What is done with one field. A reveal is asked for in the form that is wanted. */
export type FieldOperation = 'tokenize' | 'reveal-masked' | 'reveal-plain' | 'read-metadata' | 'delete';

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

/** Denies what nothing permits, and whatever it cannot decide. */
export interface Policy {
  permits(request: PolicyRequest): boolean;
}

/** The vocabulary of the policies: what is compiled from a mesh has to be valid against it. */
export const CEDAR_SCHEMA = `
entity Identity;
entity FieldClass;
action "tokenize", "reveal-masked", "reveal-plain", "read-metadata", "delete" appliesTo {
  principal: [Identity],
  resource: [FieldClass],
  context: { tenant: String, kind: String, format: String, smallFormat: Bool, purpose?: String }
};
`;

/**
 * The Cedar policies of a mesh: one for each grant, and one more for each grant that shows values in plain.
 *
 * Nothing else permits anything, so a node without a grant is denied, as Cedar's default is.
 */
export function compilePolicies(mesh: Mesh): string {
  return Object.entries(mesh.virtualNodes)
    .flatMap(([nodeName, node]) => policiesOf(identityOf(mesh, nodeName), node.vaultAccess))
    .join('\n');
}

function policiesOf(identity: string, access: VaultAccess | undefined): string[] {
  if (access === undefined) return [];
  return access.grants.flatMap((grant) => [
    permit(identity, FIELD_OPERATIONS[grant.operation], access, grant, onlyLargeFormats(grant)),
    ...(grant.operation === 'detokenize' && (grant.plainFor ?? []).length > 0
      ? [permit(identity, 'reveal-plain', access, grant, [plainForPurpose(grant.plainFor ?? [])])]
      : []),
  ]);
}

const FIELD_OPERATIONS: Readonly<Record<VaultOperation, FieldOperation>> = {
  tokenize: 'tokenize',
  detokenize: 'reveal-masked',
  'read-metadata': 'read-metadata',
  delete: 'delete',
};

function permit(
  identity: string,
  operation: FieldOperation,
  access: VaultAccess,
  grant: VaultGrant,
  conditions: readonly string[],
): string {
  const when = [
    ...(grant.classes === '*' ? [] : [`[${grant.classes.map(classEntity).join(', ')}].contains(resource)`]),
    `${setOf(access.tenants)}.contains(context.tenant)`,
    ...conditions,
  ].join(' && ');
  return `permit (principal == Identity::${quote(identity)}, action == Action::${quote(operation)}, resource)
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
