/**
 * Tokens of the format `default`: `tkn_`, 32 letters of randomness, 8 letters of checksum.
 *
 * A letter is one nibble, of an alphabet with no digit and no vowel: a search
 * for card numbers never hits a token, and a token never spells a word. The
 * checksum (CRC-32 of everything before it) tells a mistyped or foreign string
 * from a token without asking anybody; it proves nothing about origin.
 *
 * @module
 */

import { keepNothing, type TokenFormat } from './format.ts';
import { ALPHABET, CHECKSUM_LETTERS, checksumLetters, lettersOf } from './letters.ts';

/** 128 bits: enough that two tokens never meet, so a batch write needs no condition. */
export const TOKEN_RANDOM_BYTES = 16;

const PREFIX = 'tkn_';
const RANDOM_LETTERS = TOKEN_RANDOM_BYTES * 2;
const BODY_LENGTH = PREFIX.length + RANDOM_LETTERS;
const SHAPE = new RegExp(`^${PREFIX}[${ALPHABET}]{${RANDOM_LETTERS + CHECKSUM_LETTERS}}$`);

export const defaultFormat: TokenFormat = {
  name: 'default',
  grammar: `"${PREFIX}" and ${RANDOM_LETTERS + CHECKSUM_LETTERS} letters, the last ${CHECKSUM_LETTERS} of them a checksum`,
  isCertain: true,
  canBeToldApart: true,
  keptOf: keepNothing,
  possibilities: () => 2 ** (TOKEN_RANDOM_BYTES * 8),
  recognizes: (text) =>
    SHAPE.test(text) && checksumLetters(text.slice(0, BODY_LENGTH)) === text.slice(BODY_LENGTH),
  mint: (_kept, { randomBytes }) => mintToken(randomBytes(TOKEN_RANDOM_BYTES)),
};

/** @param random - {@link TOKEN_RANDOM_BYTES} bytes from a cryptographic source, used for this token alone. */
export function mintToken(random: Uint8Array): string {
  if (random.length !== TOKEN_RANDOM_BYTES) {
    throw new RangeError(`expected ${TOKEN_RANDOM_BYTES} random bytes, got ${random.length}`);
  }
  const body = PREFIX + lettersOf(random);
  return body + checksumLetters(body);
}
