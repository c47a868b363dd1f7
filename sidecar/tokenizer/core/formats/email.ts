/**
 * Tokens in the shape of an e-mail address, under a domain that leads nowhere.
 *
 * `.invalid` is reserved (RFC 2606 section 2): no such domain will ever exist,
 * so mail to a token goes to nobody.
 *
 * @module
 */

import { keepNothing, type TokenFormat } from './format.ts';
import { ALPHABET, CHECKSUM_LETTERS, checksumLetters, lettersOf } from './letters.ts';

const DOMAIN = '@tokens.invalid';
const RANDOM_BYTES = 16;
const RANDOM_LETTERS = RANDOM_BYTES * 2;
const SHAPE = new RegExp(`^[${ALPHABET}]{${RANDOM_LETTERS + CHECKSUM_LETTERS}}@tokens\\.invalid$`);

export const emailFormat: TokenFormat = {
  name: 'email',
  grammar: `${RANDOM_LETTERS + CHECKSUM_LETTERS} letters, the last ${CHECKSUM_LETTERS} of them a checksum, and "${DOMAIN}"`,
  fieldClass: 'email',
  isCertain: true,
  canBeToldApart: true,
  keptOf: keepNothing,
  possibilities: () => 2 ** (RANDOM_BYTES * 8),
  recognizes: (text) => SHAPE.test(text) && addressOf(text.slice(0, RANDOM_LETTERS)) === text,
  mint: (_kept, { randomBytes }) => addressOf(lettersOf(randomBytes(RANDOM_BYTES))),
};

/** The checksum covers the domain too, so that no other format's letters fit. */
function addressOf(letters: string): string {
  return letters + checksumLetters(letters + DOMAIN) + DOMAIN;
}
