/**
 * Seals: the head of a chain under a MAC that KMS made, so that whoever can write the table cannot make one.
 *
 * A seal names the digest of the seal before it. The MAC of the last one therefore vouches for all of
 * them, and each seal for every segment up to its sequence.
 *
 * @module
 */

import { digestOf, parsed, type Head } from './segment.ts';

const VERSION = 1;

/** Parts what is sealed from the other messages that the same key is asked about. */
const PURPOSE = 'tokenmesh audit: seal, version 1\n';

/** As it is stored. */
export interface Seal {
  readonly writer: string;
  /** From 0, which seals the beginning, without a gap. */
  readonly number: number;
  /** Of the segment that it seals; 0 for the beginning. */
  readonly sequence: number;
  readonly body: string;
  readonly mac: Uint8Array;
}

export interface SealContent extends Head {
  readonly writer: string;
  readonly number: number;
  /** Of the seal before; null in the first. */
  readonly previousSeal: string | null;
  readonly sealedAt: string;
}

export function nextSealContent(
  writer: string,
  previous: Seal | undefined,
  head: Head,
  at: Date,
): SealContent {
  return {
    writer,
    number: previous === undefined ? 0 : previous.number + 1,
    sequence: head.sequence,
    hash: head.hash,
    previousSeal: previous === undefined ? null : sealDigest(previous),
    sealedAt: at.toISOString(),
  };
}

export function sealBody({ writer, number, sequence, hash, previousSeal, sealedAt }: SealContent): string {
  return JSON.stringify({ version: VERSION, writer, number, sequence, hash, previousSeal, sealedAt });
}

/** The bytes under the MAC. */
export function sealMessage(body: string): Uint8Array {
  return Buffer.from(PURPOSE + body, 'utf8');
}

export function sealDigest({ body, mac }: Pick<Seal, 'body' | 'mac'>): string {
  return digestOf(body, mac);
}

/** @returns Undefined for what is not a body of this version. Proves nothing: ask KMS. */
export function readSealBody(body: string): SealContent | undefined {
  const content: Partial<SealContent & { version: number }> | undefined = parsed(body);
  const { version, writer, number, sequence, hash, previousSeal, sealedAt } = content ?? {};
  const isWhole =
    version === VERSION &&
    typeof writer === 'string' &&
    typeof number === 'number' &&
    typeof sequence === 'number' &&
    typeof hash === 'string' &&
    (typeof previousSeal === 'string' || previousSeal === null) &&
    typeof sealedAt === 'string';
  return isWhole ? { writer, number, sequence, hash, previousSeal, sealedAt } : undefined;
}
