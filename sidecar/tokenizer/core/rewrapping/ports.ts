/**
 * What sealing anew needs of the outside, in its own words.
 *
 * @module
 */

import type { RecordKey, SealedCode, SealedField, TokenRecord } from '../ports.ts';

/** A row that has messages in it. */
export type SealedRow =
  | { readonly kind: 'record'; readonly record: TokenRecord }
  | { readonly kind: 'code'; readonly code: SealedCode }
  | { readonly kind: 'unreadable'; readonly key: RecordKey };

export interface SealedRows {
  /**
   * At most `limit` rows of the table, of which those of the tenant are given, and where to go on; at the
   * end there is no cursor. A row that is there all the while is seen once.
   *
   * @throws {StoreUnavailableError} when no answer came within the deadline.
   */
  page(
    tenant: string,
    cursor: string | undefined,
    limit: number,
  ): Promise<{ readonly rows: readonly SealedRow[]; readonly cursor?: string }>;
}

/**
 * Puts new messages in the place of those that were read.
 *
 * Each call must be atomic, and must change nothing and answer `'changed'` where the messages are not
 * exactly those that were read: whoever replaced, used up, deleted or destroyed them meanwhile has won, and
 * nothing is lost or comes back. All else of the row stays as it is, also what was changed meanwhile.
 *
 * @throws {StoreUnavailableError} when no answer came; it may be changed.
 */
export interface ResealStore {
  /** @returns The record as it is from then on. */
  resealRecord(read: TokenRecord, fields: ReadonlyMap<string, SealedField>): Promise<TokenRecord | 'changed'>;
  resealCode(read: SealedCode, message: Uint8Array): Promise<'resealed' | 'changed'>;
}

/** What an operator asks the tokenizer for, who may not open anything himself. */
export interface RewrapAsk {
  /** Another each time: progress that was made for another is done with. */
  readonly id: string;
  /** Rows that are sealed anew in a second at most. */
  readonly perSecond: number;
  /** Not before every task seals under the newest version. */
  readonly startAt: Date;
}

/** Each call throws a StoreUnavailableError when no answer came within the deadline. */
export interface RewrapAsks {
  find(tenant: string): Promise<RewrapAsk | undefined>;
  /** In the place of one that is there. */
  put(tenant: string, ask: RewrapAsk): Promise<void>;
  /** Removes the one with this id; where there is none, that is as good. */
  remove(tenant: string, id: string): Promise<void>;
}
