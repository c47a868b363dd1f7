import { crc32 } from 'node:zlib';
import { byteLetters } from '../byte-letters.ts';

/** No digit and no vowel: never a number, never a word. */
export const ALPHABET = 'bcdfghjklmnpqrst';

export const CHECKSUM_LETTERS = 8;

export const lettersOf = byteLetters(ALPHABET);

/** CRC-32 (zlib, IEEE 802.3): it tells a mistyped text, and proves nothing about origin. */
export function checksumLetters(text: string): string {
  const checksum = new Uint8Array(4);
  new DataView(checksum.buffer).setUint32(0, crc32(text));
  return lettersOf(checksum);
}
