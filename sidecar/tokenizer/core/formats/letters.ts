import { crc32 } from 'node:zlib';

/** No digit and no vowel: never a number, never a word. */
export const ALPHABET = 'bcdfghjklmnpqrst';

export const CHECKSUM_LETTERS = 8;

/** One letter for each half byte, the high half first. */
export function lettersOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => letterOf(byte >> 4) + letterOf(byte & 0xf)).join('');
}

/** CRC-32 (zlib, IEEE 802.3): it tells a mistyped text, and proves nothing about origin. */
export function checksumLetters(text: string): string {
  const checksum = new Uint8Array(4);
  new DataView(checksum.buffer).setUint32(0, crc32(text));
  return lettersOf(checksum);
}

function letterOf(nibble: number): string {
  return ALPHABET.charAt(nibble);
}
