/**
 * What threads say to each other about values that are sealed or opened together: one branch key, and
 * the bytes of all values in one buffer that changes hands.
 *
 * @module
 */

import type { BranchKey } from './core/crypto/data-key.ts';

export interface SealingJob {
  readonly id: number;
  readonly kind: 'seal' | 'open';
  readonly branchKey: BranchKey;
  /** Of each value its context, then its plaintext or message. */
  readonly values: Packed;
}

export interface SealingResult {
  readonly id: number;
  /** Of each value its message or plaintext; {@link REFUSED} for one that does not open. */
  readonly values: Packed;
}

export interface Packed {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly lengths: readonly number[];
}

export const REFUSED = -1;

/** @param parts - Undefined for what was refused. */
export function pack(parts: readonly (Uint8Array | undefined)[]): Packed {
  const lengths = parts.map((part) => part?.length ?? REFUSED);
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + Math.max(0, length), 0));
  let end = 0;
  for (const part of parts) {
    if (part === undefined) continue;
    bytes.set(part, end);
    end += part.length;
  }
  return { bytes, lengths };
}

export function unpack({ bytes, lengths }: Packed): (Uint8Array | undefined)[] {
  let end = 0;
  return lengths.map((length) => {
    if (length === REFUSED) return undefined;
    const start = end;
    end += length;
    return bytes.subarray(start, end);
  });
}
