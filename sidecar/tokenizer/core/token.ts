/**
 * Random tokens: `tkn_`, 32 letters of randomness, 8 letters of checksum.
 *
 * A letter is one nibble, of an alphabet with no digit and no vowel: a search
 * for card numbers never hits a token, and a token never spells a word. The
 * checksum (CRC-32 of everything before it) tells a mistyped or foreign string
 * from a token without asking anybody; it proves nothing about origin.
 * Format: docs/token-format.md.
 *
 * @module
 */

import { crc32 } from 'node:zlib';
import { TokenmeshError } from '../../../errors/error.ts';

/** 128 bits: enough that two tokens never meet, so a batch write needs no condition. */
export const TOKEN_RANDOM_BYTES = 16;

const PREFIX = 'tkn_';
const ALPHABET = 'bcdfghjklmnpqrst';
const RANDOM_LETTERS = TOKEN_RANDOM_BYTES * 2;
const CHECKSUM_LETTERS = 8;
const BODY_LENGTH = PREFIX.length + RANDOM_LETTERS;
const SHAPE = new RegExp(`^${PREFIX}[${ALPHABET}]{${RANDOM_LETTERS + CHECKSUM_LETTERS}}$`);

/** @param random - {@link TOKEN_RANDOM_BYTES} bytes from a cryptographic source, used for this token alone. */
export function mintToken(random: Uint8Array): string {
  if (random.length !== TOKEN_RANDOM_BYTES) {
    throw new RangeError(`expected ${TOKEN_RANDOM_BYTES} random bytes, got ${random.length}`);
  }
  const body = PREFIX + lettersOf(random);
  return body + checksumOf(body);
}

/** Whether `text` is a token by its shape and checksum: needs no store and says nothing about existence. */
export function isToken(text: string): boolean {
  return SHAPE.test(text) && checksumOf(text.slice(0, BODY_LENGTH)) === text.slice(BODY_LENGTH);
}

/** @throws {TokenmeshError} `ERR_TOKEN_MALFORMED`, which tells the shape of `text` and none of it. */
export function parseToken(text: string): string {
  if (isToken(text)) return text;
  const found = SHAPE.test(text) ? 'one whose checksum fails' : `${text.length} characters of another shape`;
  throw new TokenmeshError({
    code: 'ERR_TOKEN_MALFORMED',
    message: `the token is malformed: expected "${PREFIX}" and ${RANDOM_LETTERS + CHECKSUM_LETTERS} letters that end in their checksum, got ${found}`,
    remedy: 'send the token as it was handed out, whole and unchanged',
  });
}

function checksumOf(body: string): string {
  const checksum = new Uint8Array(4);
  new DataView(checksum.buffer).setUint32(0, crc32(body));
  return lettersOf(checksum);
}

function lettersOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => letterOf(byte >> 4) + letterOf(byte & 0xf)).join('');
}

function letterOf(nibble: number): string {
  return ALPHABET.charAt(nibble);
}
