import type { TokenRecord } from './ports.ts';

/** A caller's own id in a tenant: never a value, and kept in clear. */
export interface ReferenceKey {
  readonly tenant: string;
  readonly reference: string;
}

/** Where callers' own ids lead to tokens. */
export interface ReferenceStore {
  /**
   * Sees every write that was answered before. Where the record has expired, the token is found all the same.
   *
   * @throws {StoreUnavailableError} when no answer came within the deadline.
   */
  find(key: ReferenceKey): Promise<string | undefined>;

  /**
   * Stores a record, and makes the reference lead to it: both or neither.
   *
   * Must be atomic: of two calls over one `seen`, exactly one resolves to `'stored'`. `'conflict'` changes
   * nothing: the reference leads elsewhere by now, or the token is taken.
   *
   * @param seen - The token that the reference led to; undefined where it led to none.
   * @throws {StoreUnavailableError} when no answer came; it may be stored.
   */
  point(key: ReferenceKey, record: TokenRecord, seen: string | undefined): Promise<'stored' | 'conflict'>;
}
