/**
 * Segments: records that were made durable together, each bound to all before it of the same writer.
 *
 * The body is JSON and is hashed as the bytes that are stored, so nothing depends on how a reader
 * would write it again. Format: docs/audit.md.
 *
 * @module
 */

import { createHash, createHmac, type KeyObject } from 'node:crypto';
import { lettersOf } from './letters.ts';
import type { AuditRecord } from './record.ts';

const VERSION = 1;

/** A DynamoDB item holds 400 KB, of which names and hashes take less than one. */
export const MAX_RECORDS_BYTES = 350_000;

/** As it is stored. */
export interface Segment {
  readonly writer: string;
  /** From 1, without a gap. */
  readonly sequence: number;
  /** How many records are in the body. */
  readonly count: number;
  readonly body: string;
  /** SHA-256 of the body's UTF-8. */
  readonly hash: string;
  /** Of the hash, under the writer's own key: {@link segmentMac}. */
  readonly mac: string;
}

/** The end of a chain: the last segment, or the beginning where there is none. */
export interface Head {
  readonly sequence: number;
  readonly hash: string;
}

export interface SegmentContent {
  readonly writer: string;
  readonly sequence: number;
  readonly previousHash: string;
  readonly records: readonly AuditRecord[];
}

/** What the first segment of a writer follows. */
export function beginningOf(writer: string): Head {
  return { sequence: 0, hash: digestOf(`tokenmesh audit, version ${VERSION}, writer ${writer}`) };
}

/** The message whose MAC, under the audit's KMS key, is the key of a writer's segments. */
export function segmentKeyMessage(writer: string): Uint8Array {
  return Buffer.from(`tokenmesh audit: key of segments, version ${VERSION}, writer ${writer}`);
}

/**
 * Shows that the writer made a segment, before any seal does.
 *
 * Anybody can compute a hash: without this, whoever can write the table could replace or add segments
 * after the last seal, and after the end of a writer that is gone nothing would ever seal what is true.
 */
export function segmentMac(key: KeyObject, hash: string): string {
  return lettersOf(createHmac('sha256', key).update(hash).digest());
}

/** @param records - Each as JSON already, so that its size is known before a segment is made. */
export function nextSegment(writer: string, key: KeyObject, head: Head, records: readonly string[]): Segment {
  const sequence = head.sequence + 1;
  const beginning = JSON.stringify({ version: VERSION, writer, sequence, previousHash: head.hash });
  const body = `${beginning.slice(0, -1)},"records":[${records.join(',')}]}`;
  const hash = digestOf(body);
  return { writer, sequence, count: records.length, body, hash, mac: segmentMac(key, hash) };
}

/** @returns Undefined for what is not a body of this version. Proves nothing: compare the hash. */
export function readSegmentBody(body: string): SegmentContent | undefined {
  const content: Partial<SegmentContent & { version: number }> | undefined = parsed(body);
  const { version, writer, sequence, previousHash, records } = content ?? {};
  const isWhole =
    version === VERSION &&
    typeof writer === 'string' &&
    typeof sequence === 'number' &&
    typeof previousHash === 'string' &&
    Array.isArray(records);
  return isWhole ? { writer, sequence, previousHash, records } : undefined;
}

export function digestOf(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return lettersOf(hash.digest());
}

/** @returns Undefined for what is not a JSON object. */
export function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
