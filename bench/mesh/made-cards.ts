import { randomInt } from 'node:crypto';

/** No scheme issues numbers that begin so (ISO/IEC 7812-1: 9 is for national bodies to assign). */
const PREFIX = '9999';
const DIGITS = 16;
const RANDOM_DIGITS = DIGITS - PREFIX.length - 1;

/** A card number that nobody has, with a check digit that is right: as good to the tokenizer as any. */
export function madeCardNumber(): string {
  const body = PREFIX + String(randomInt(10 ** RANDOM_DIGITS)).padStart(RANDOM_DIGITS, '0');
  return body + checkDigit(body);
}

/** ISO/IEC 7812-1 Annex B: every second digit from the right is doubled, beginning with the last of these. */
function checkDigit(body: string): number {
  let sum = 0;
  for (let index = 0; index < body.length; index += 1) {
    const digit = Number(body[body.length - 1 - index]);
    const weighted = index % 2 === 0 ? digit * 2 : digit;
    sum += weighted > 9 ? weighted - 9 : weighted;
  }
  return (10 - (sum % 10)) % 10;
}
