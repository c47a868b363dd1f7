/** What is kept of a call with an idempotency key, for as long as the key is. */
export interface IdempotencyEntry {
  /** A MAC of what was sent: another body under the same key is another request. */
  readonly request: string;
  /** Of who wrote the entry last: whoever changes it names the one that was seen. */
  readonly claim: string;
  /** A call is under way until then. Left out where none is. */
  readonly leaseUntil?: Date;
  /** One for each item of the call, null where there is none yet; empty before the first call has ended. */
  readonly results: readonly (KeptResult | null)[];
  /** Vouches for the results. Left out where there are none. */
  readonly proof?: string;
  /** From then on the entry counts as gone, to the millisecond. */
  readonly expiresAt: Date;
}

/** Of an item that was tokenized: all that its answer is made from. */
export interface KeptResult {
  readonly token: string;
  readonly createdAt: Date;
  readonly expiresAt?: Date;
  readonly format?: string;
  readonly version?: number;
}

/**
 * Where calls are recognized. An id is made from a keyed MAC: nothing of a key or a body is in it.
 *
 * Each call throws a StoreUnavailableError when no answer came within the deadline. The entry may then be
 * changed.
 */
export interface IdempotencyStore {
  /**
   * Must be atomic: of two calls with one id, exactly one resolves to `'stored'`.
   *
   * @param now - An entry that has expired by then is none, whatever has or has not been swept.
   * @returns The entry that is there, where it was not stored.
   */
  insert(id: string, entry: IdempotencyEntry, now: Date): Promise<'stored' | IdempotencyEntry>;

  /**
   * Puts `entry` in the place of the one with this claim.
   *
   * Must be atomic: of two calls over one claim, exactly one resolves to `'replaced'`. `'conflict'` changes
   * nothing.
   */
  replace(id: string, entry: IdempotencyEntry, claim: string): Promise<'replaced' | 'conflict'>;

  /** Removes the entry with this claim; where there is none, that is as good. */
  remove(id: string, claim: string): Promise<void>;
}
