const SHORTEST = 12;
const LONGEST = 19;
const ZERO = '0'.charCodeAt(0);

/**
 * What is wrong with `value` as a card number (ISO/IEC 7812-1), or undefined.
 *
 * Tells the shape, never a digit. Spaces and dashes are refused rather than
 * dropped: what is revealed later is exactly what was sent.
 */
export function panProblem(value: string): string | undefined {
  const strangers = value.replaceAll(/[0-9]/g, '').length;
  if (strangers > 0) return `got ${value.length} characters, ${strangers} of them not digits`;
  if (value.length < SHORTEST || value.length > LONGEST) return `got ${value.length} digits`;
  if (value.startsWith('0')) return `got ${value.length} digits that begin with 0, which no issuer has`;
  return passesLuhn(value) ? undefined : `got ${value.length} digits that fail the Luhn check`;
}

/** The check digit of ISO/IEC 7812-1 Annex B: every second digit from the right is doubled. */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    sum += weighted(digits.charCodeAt(digits.length - 1 - index) - ZERO, index);
  }
  return sum % 10 === 0;
}

function weighted(digit: number, index: number): number {
  if (index % 2 === 0) return digit;
  return digit > 4 ? digit * 2 - 9 : digit * 2;
}
