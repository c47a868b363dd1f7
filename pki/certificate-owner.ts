/**
 * Whose certificate it is: told by three tags on the certificate in ACM, and by nothing else.
 *
 * @module
 */

import type { CertificateRole } from '../mesh/definition.ts';

export interface CertificateOwner {
  readonly mesh: string;
  readonly node: string;
  readonly role: CertificateRole;
}

export interface Tag {
  readonly key: string;
  readonly value: string;
}

export const OWNER_TAG_KEYS = {
  mesh: 'tokenmesh:mesh',
  node: 'tokenmesh:node',
  role: 'tokenmesh:role',
} as const satisfies Record<keyof CertificateOwner, string>;

export function tagsOf(owner: CertificateOwner): Tag[] {
  return [
    { key: OWNER_TAG_KEYS.mesh, value: owner.mesh },
    { key: OWNER_TAG_KEYS.node, value: owner.node },
    { key: OWNER_TAG_KEYS.role, value: owner.role },
  ];
}

/** The owner that the tags name, or undefined unless all three are there and the role is one of ours. */
export function ownerOf(tags: readonly Tag[]): CertificateOwner | undefined {
  const values = new Map(tags.map(({ key, value }) => [key, value]));
  const mesh = values.get(OWNER_TAG_KEYS.mesh);
  const node = values.get(OWNER_TAG_KEYS.node);
  const role = values.get(OWNER_TAG_KEYS.role);
  if (!mesh || !node || (role !== 'client' && role !== 'server')) return undefined;
  return { mesh, node, role };
}
