/**
 * The keys that a task holds, and the sealer that works with them: put together in one place for the
 * service and for the library.
 *
 * @module
 */

import { createBranchKeyStore, type BranchKeyStoreOptions } from './adapters/branch-key-store.ts';
import { createOtherMessages } from './adapters/other-messages.ts';
import { createBranchKeySealer } from './core/crypto/branch-key-sealer.ts';
import { KEY_LIMITS, KeyCache, type Freshness, type KeyObserver } from './core/crypto/key-cache.ts';
import type { BranchKeySource } from './core/crypto/key-source.ts';
import type { SealingWork } from './core/crypto/sealing.ts';
import type { FieldSealer } from './core/ports.ts';

export interface VaultKeysOptions extends BranchKeyStoreOptions {
  /** Who does the computation. */
  readonly work: SealingWork;
  /** How long a branch key is held before KMS is asked again. @default an hour */
  readonly keySeconds?: number;
  readonly observer?: KeyObserver;
  /** Milliseconds, of a clock that does not go back. @default performance.now */
  readonly now?: () => number;
}

export interface VaultKeys {
  readonly keys: KeyCache;
  readonly sealer: FieldSealer;
  /** Where the keys come from. */
  readonly source: BranchKeySource;
}

/** So long a task goes on before it learns that a tenant's key was rotated, revoked or destroyed; and at last, where the key store does not answer. */
export const TENANT_FRESHNESS: Freshness = { seenWithinMs: 5_000, seenAtLastMs: 60_000 };

/** The same for a subject's key, in either case. */
export const SUBJECT_FRESHNESS: Freshness = { seenWithinMs: 30_000, seenAtLastMs: 30_000 };

/** Tenants and subjects whose keys are held at a time; a task with more of them at once asks KMS more often. */
const CAPACITY = 1_000;

export function createVaultKeys(options: VaultKeysOptions): VaultKeys {
  const { work, keySeconds, observer, now = () => performance.now() } = options;
  const source = createBranchKeyStore(options);
  const keys = new KeyCache({
    source,
    now,
    random: Math.random,
    limits: { ...KEY_LIMITS, ...(keySeconds === undefined ? {} : { ageMs: keySeconds * 1000 }) },
    freshnessOf: (id) => (id.includes('/') ? SUBJECT_FRESHNESS : TENANT_FRESHNESS),
    capacity: CAPACITY,
    ...(observer === undefined ? {} : { observer }),
  });
  return {
    keys,
    sealer: createBranchKeySealer({ keys, work, openOther: createOtherMessages(keys) }),
    source,
  };
}
