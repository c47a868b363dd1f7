import type { TokenFormat } from './format.ts';
import { isPanToken, LUHN_FAILING } from './pan.ts';
import { drawFailingLuhn, randomDigits } from './random-digits.ts';

const DEFAULT_LENGTH = 16;

/** As the format `pan`, with none of the card number's digits: its length is all that is kept. */
export const panRandomFormat: TokenFormat = {
  name: 'pan-random',
  grammar: '12 to 19 digits that start with 0 and fail the Luhn check',
  fieldClass: 'pan',
  isCertain: false,
  canBeToldApart: true,
  keptOf: (value) => ({ length: value.length }),
  possibilities: ({ length = DEFAULT_LENGTH }) => Math.round(LUHN_FAILING * 10 ** (length - 1)),
  recognizes: isPanToken,
  mint: ({ length = DEFAULT_LENGTH }, { randomBytes }) =>
    drawFailingLuhn(() => `0${randomDigits(length - 1, randomBytes)}`),
};
