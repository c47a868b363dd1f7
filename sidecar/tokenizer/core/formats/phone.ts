/**
 * Tokens in the shape of a telephone number that rings nowhere.
 *
 * ITU-T lists country code 999 as reserved, and assigned to nobody (List of
 * Recommendation E.164 assigned country codes). Fifteen digits are the most
 * that E.164 allows.
 *
 * @module
 */

import { keepNothing, type TokenFormat } from './format.ts';
import { LUHN_FAILING } from './pan.ts';
import { drawFailingLuhn, failsLuhn, randomDigits } from './random-digits.ts';

const PREFIX = '+999';
const FREE_DIGITS = 12;
const SHAPE = /^\+999[0-9]{12}$/;

export const phoneFormat: TokenFormat = {
  name: 'phone',
  grammar: `"${PREFIX}" and ${FREE_DIGITS} digits that fail the Luhn check together with it`,
  fieldClass: 'phone',
  isCertain: false,
  canBeToldApart: true,
  keptOf: keepNothing,
  possibilities: () => LUHN_FAILING * 10 ** FREE_DIGITS,
  recognizes: (text) => SHAPE.test(text) && failsLuhn(text),
  mint: (_kept, { randomBytes }) => drawFailingLuhn(() => PREFIX + randomDigits(FREE_DIGITS, randomBytes)),
};
