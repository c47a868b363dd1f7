/**
 * Where a row of the log stands among those of its writer: the sort keys, which sort as the numbers do.
 *
 * @module
 */

const DIGITS = 12;
const SEGMENT_KEY = new RegExp(`^\\d{${DIGITS}}$`);
const SEAL_PREFIX = 'seal#';

export function segmentKey(sequence: number): string {
  return String(sequence).padStart(DIGITS, '0');
}

export function sealKey(number: number): string {
  return SEAL_PREFIX + segmentKey(number);
}

export function isSealKey(sortKey: string): boolean {
  return sortKey.startsWith(SEAL_PREFIX);
}

/** @returns Undefined for what is no key of a segment. */
export function sequenceOf(sortKey: string): number | undefined {
  return SEGMENT_KEY.test(sortKey) ? Number(sortKey) : undefined;
}

/** @returns Undefined for what is no key of a seal. */
export function sealNumberOf(sortKey: string): number | undefined {
  return isSealKey(sortKey) ? sequenceOf(sortKey.slice(SEAL_PREFIX.length)) : undefined;
}
