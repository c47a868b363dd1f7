/**
 * Tokens in the shape of a card number: of its length, with its last four digits.
 *
 * The first digit is 0: ISO/IEC 7812-1 gives major industry identifier 0 to
 * ISO/TC 68 and to no issuer of cards. The Luhn check fails always.
 *
 * @module
 */

import type { TokenFormat } from './format.ts';
import { drawFailingLuhn, failsLuhn, randomDigits } from './random-digits.ts';

const SHAPE = /^0[0-9]{11,18}$/;
const DEFAULT_LENGTH = 16;

/** Of a token's digits those that fail the Luhn check. */
export const LUHN_FAILING = 0.9;

export const panFormat: TokenFormat = {
  name: 'pan',
  grammar: '12 to 19 digits that start with 0 and fail the Luhn check',
  fieldClass: 'pan',
  isCertain: false,
  canBeToldApart: true,
  keptOf: (value) => ({ length: value.length, lastFour: value.slice(-4) }),
  possibilities: ({ length = DEFAULT_LENGTH }) => Math.round(LUHN_FAILING * 10 ** (length - 5)),
  recognizes: isPanToken,
  mint: ({ length = DEFAULT_LENGTH, lastFour = '' }, { randomBytes }) =>
    drawFailingLuhn(() => `0${randomDigits(length - 1 - lastFour.length, randomBytes)}${lastFour}`),
};

export function isPanToken(text: string): boolean {
  return SHAPE.test(text) && failsLuhn(text);
}
