import { randomInt } from 'node:crypto';
import { passesLuhn } from '../../sidecar/tokenizer/core/pan.ts';

/** No scheme issues numbers that begin so (ISO/IEC 7812-1: 9 is for national bodies to assign). */
const PREFIX = '9999';
const DIGITS = 16;
const RANDOM_DIGITS = DIGITS - PREFIX.length - 1;

/** A card number that nobody has, with a check digit that is right: as good to the tokenizer as any. */
export function madeCardNumber(): string {
  const body = PREFIX + String(randomInt(10 ** RANDOM_DIGITS)).padStart(RANDOM_DIGITS, '0');
  return body + checkDigit(body);
}

function checkDigit(body: string): string {
  return Array.from('0123456789').find((digit) => passesLuhn(body + digit)) ?? '';
}
