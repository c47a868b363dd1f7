/**
 * What fingerprints need of the outside, in its own words.
 *
 * @module
 */

import type { VersionKeys } from './version-keys.ts';

/** The versions of a tenant's key that are in use at a moment. */
export interface FingerprintRing {
  /** Oldest first: whoever writes under several claims under the oldest first. Never empty. */
  readonly write: readonly VersionKeys[];
  /** Newest first. Whatever is written is read. */
  readonly read: readonly VersionKeys[];
}

export interface FingerprintKeys {
  /**
   * What was true at most {@link RING_LEASE_MS} ago: a rotation waits that long between its steps.
   *
   * @throws {KeyUnavailableError} where nothing that young can be had.
   * @throws {TenantShreddedError}
   */
  ringOf(tenant: string): Promise<FingerprintRing>;
}

/** No task goes on with versions that are older than this. */
export const RING_LEASE_MS = 2_000;

/** One row of the index. What it leads to is sealed: {@link sealToken}. */
export interface IndexRow {
  /** {@link partitionOf} */
  readonly partition: string;
  readonly sortKey: string;
  readonly sealedToken: Uint8Array;
  readonly expiresAt?: Date;
}

export type IndexKey = Pick<IndexRow, 'partition' | 'sortKey'>;

export interface FingerprintIndex {
  /**
   * Puts a row where there is none.
   *
   * Must be atomic: of two calls for one place, exactly one resolves to `'claimed'`.
   *
   * @returns What is sealed in the row that is there already.
   * @throws {StoreUnavailableError} when no answer came; it may be claimed.
   */
  claim(row: IndexRow): Promise<'claimed' | Uint8Array>;
  /** Puts rows, whatever is there. @throws {StoreUnavailableError} and some may be there. */
  put(rows: readonly IndexRow[]): Promise<void>;
  /** @returns What is sealed in the row. @throws {StoreUnavailableError} */
  find(key: IndexKey): Promise<Uint8Array | undefined>;
  /** @returns At most `limit` rows of a partition whose sort key begins so. @throws {StoreUnavailableError} */
  list(partition: string, prefix: string, limit: number): Promise<readonly IndexRow[]>;
  /** Those that are not there are no error, nor is one that is named twice. @throws {StoreUnavailableError} */
  remove(keys: readonly IndexKey[]): Promise<void>;
}
