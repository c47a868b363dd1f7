/**
 * What loading and tokenizing in bulk need of the outside, in their own words.
 *
 * @module
 */

import type { BulkRecord, Part } from './part.ts';
import type { ResultLine } from './results.ts';

/** Closes a part before it leaves the process that has its values in clear. */
export interface PartSealer {
  /** @returns Text that only {@link PartOpener.open} reads. */
  seal(part: Part): Promise<string>;
}

export interface PartOpener {
  /** @throws {TokenmeshError} `ERR_QUEUE_MESSAGE_UNREADABLE`; `ERR_QUEUE_KEY_UNAVAILABLE`, where it may open later. */
  open(sealed: string): Promise<Part>;
}

export type PartName = Pick<Part, 'load' | 'part'>;

/** Where the tokens of a load are kept, part by part. */
export interface ResultStore {
  has(name: PartName): Promise<boolean>;
  /** Keeps what is there: `"exists"` changes nothing, so that a part has the tokens it had first. */
  insert(name: PartName, lines: readonly ResultLine[]): Promise<'stored' | 'exists'>;
  /** The numbers of the parts of a load that are there. */
  list(load: string): Promise<readonly number[]>;
  /** @throws {TokenmeshError} `ERR_RESULTS_UNREADABLE` */
  read(name: PartName): Promise<readonly ResultLine[]>;
}

/** What became of one record: its token, or why it never gets one, or why it may get one later. */
export type BulkAnswer =
  | { readonly token: string }
  | { readonly refused: { readonly code: string; readonly remedy: string } }
  | { readonly later: string };

/** The part of the tokenizer that takes records in, many at a time. */
export interface BulkTokenizer {
  /**
   * One answer for each record, in order. The same records under the same key have the same tokens.
   *
   * @throws {TokenmeshError} where none was tokenized, for whatever reason.
   */
  tokenize(records: readonly BulkRecord[], idempotencyKey: string): Promise<readonly BulkAnswer[]>;
}

/** The queue, from the side that fills it. */
export interface PartQueue {
  /**
   * Sends in order. Resolves when all of them are durable.
   *
   * @throws {TokenmeshError} `ERR_QUEUE_UNAVAILABLE`. Some may have been sent: the same part twice is one part.
   */
  send(parts: readonly (PartName & { readonly sealed: string })[]): Promise<void>;
  /** Messages that were given up on. */
  deadLetters(): Promise<number>;
}
