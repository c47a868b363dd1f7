import type { BranchKeyVersions } from '../sidecar/tokenizer/adapters/branch-key-versions.ts';
import { SUBJECT_FRESHNESS, TENANT_FRESHNESS } from '../sidecar/tokenizer/vault-keys.ts';
import { requireActive } from './key-problems.ts';

/** What was sealed under the old version is stored by then, or was given up: a batch has ten seconds. */
const UNDER_WAY_MS = 12_000;

/** When every task that can read the key store seals under the newest version, as far as its clock is right. */
export function settledAt(key: BranchKeyVersions): Date {
  return after(key, freshnessOf(key).seenWithinMs);
}

/** When every task does, or refuses. */
export function settledForSureAt(key: BranchKeyVersions): Date {
  return after(key, freshnessOf(key).seenAtLastMs);
}

function freshnessOf({ id }: BranchKeyVersions) {
  return id.includes('/') ? SUBJECT_FRESHNESS : TENANT_FRESHNESS;
}

/** A key that was never rotated has nothing that could be sealed under another version. */
function after(key: BranchKeyVersions, ms: number): Date {
  if (key.isDestroyed || key.versions.length < 2) return new Date(0);
  return new Date(requireActive(key).createdAt.getTime() + ms + UNDER_WAY_MS);
}
