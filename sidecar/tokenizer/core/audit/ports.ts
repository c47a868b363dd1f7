/**
 * What the audit needs of the outside, in its own words.
 *
 * @module
 */

import type { RecordKey, TokenRecord } from '../ports.ts';
import type { Seal } from './seal.ts';
import type { Segment } from './segment.ts';

export interface AuditLog {
  /**
   * Makes a segment durable.
   *
   * Must never overwrite another segment. The same segment may be sent again, since the answer to the
   * first time may have been lost, and is then `'written'` too.
   *
   * @returns `'taken'` where another is in its place.
   * @throws {AuditUnavailableError} when no answer came within the deadline. It may be written.
   */
  append(segment: Segment): Promise<'written' | 'taken'>;

  /** As {@link AuditLog.append}. */
  appendSeal(seal: Seal): Promise<'written' | 'taken'>;

  /**
   * Keeps the writer's newest seal where who may change the log may not.
   *
   * Must never replace a seal by one of a lower number.
   *
   * @throws {AuditUnavailableError}
   */
  keepOutside(seal: Seal): Promise<void>;

  /** @throws {AuditUnavailableError} unless there is a log to write to. */
  checkReachable(): Promise<void>;
}

export interface AuditMac {
  /**
   * The MAC of a message, under a key that nobody can take out.
   *
   * @throws {AuditUnavailableError}
   */
  macOf(message: Uint8Array): Promise<Uint8Array>;

  /** @throws {AuditUnavailableError} where it cannot be asked, which says nothing about the MAC. */
  isMacOf(message: Uint8Array, mac: Uint8Array): Promise<boolean>;
}

/** A row of the log as it was found, which may be anything: somebody may have written it. */
export interface StoredSegment {
  readonly sortKey: string;
  readonly body: string;
  readonly hash: string;
  readonly mac: string;
}

export interface StoredSeal {
  readonly sortKey: string;
  readonly body: string;
  readonly mac: Uint8Array;
}

/** The vault's table, for who holds it against the audit. */
export interface RowReader {
  /**
   * Every record that is stored, in no order, and every security code. What cannot be read as a record is
   * `'unreadable'`.
   */
  rows(): AsyncIterable<StoredRow>;
  /** @returns Undefined where it is not there. */
  find(key: RecordKey): Promise<StoredRow | undefined>;
}

export interface StoredRow {
  readonly key: RecordKey;
  readonly record: TokenRecord | 'unreadable' | 'security-code';
}

/** Every read sees what was written before it began. */
export interface AuditReader {
  /** Every writer that is in the log or of which a seal is kept outside, each once. */
  writers(): Promise<readonly string[]>;
  keptOutside(writer: string): Promise<StoredSeal | undefined>;
  /** In the order of their numbers. */
  seals(writer: string): Promise<readonly StoredSeal[]>;
  /** All rows of the writer that are not seals, in the order of their sort keys. */
  segments(writer: string): AsyncIterable<StoredSegment>;
  /** The segments alone, the newest first. */
  latestSegments(writer: string): AsyncIterable<StoredSegment>;
}
