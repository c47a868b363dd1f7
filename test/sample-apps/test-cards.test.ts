import { describe, expect, it } from '@jest/globals';
import { lastFourOf, maskPan, schemeOf } from '../../sample-apps/card-facts.ts';
import { TEST_CARDS, testCard } from '../../sample-apps/test-cards.ts';

/** ISO/IEC 7812-1 Annex B, written again here: the list is judged by another hand than the tokenizer's. */
function luhnSum(digits: string): number {
  let sum = 0;
  for (let fromRight = 0; fromRight < digits.length; fromRight++) {
    const digit = Number(digits.charAt(digits.length - 1 - fromRight));
    const weighted = fromRight % 2 === 0 ? digit : digit * 2;
    sum += weighted > 9 ? weighted - 9 : weighted;
  }
  return sum;
}

describe('test cards', () => {
  it.each(TEST_CARDS)('have a correct check digit: $scheme', ({ number }) => {
    expect(number).toMatch(/^\d{13,19}$/);
    expect(luhnSum(number) % 10).toBe(0);
  });

  it.each(TEST_CARDS)('are of the scheme that credit-card-type finds: $scheme', ({ scheme, number }) => {
    expect(schemeOf(number)).toBe(scheme);
  });

  it('are twenty at least, each listed once', () => {
    const numbers = TEST_CARDS.map((card) => card.number);
    expect(numbers.length).toBeGreaterThanOrEqual(20);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it('cover the lengths and the schemes that are in use', () => {
    expect(new Set(TEST_CARDS.map((card) => card.number.length))).toEqual(new Set([13, 14, 15, 16, 18, 19]));
    expect([...new Set(TEST_CARDS.map((card) => card.scheme))].sort()).toEqual([
      'american-express',
      'diners-club',
      'discover',
      'jcb',
      'maestro',
      'mastercard',
      'unionpay',
      'visa',
    ]);
  });

  it('have Mastercards of both series', () => {
    const mastercards = TEST_CARDS.filter((card) => card.scheme === 'mastercard');
    expect(new Set(mastercards.map((card) => card.number.charAt(0)))).toEqual(new Set(['2', '5']));
  });

  it('are found by scheme and length', () => {
    expect(testCard('american-express', 15).number).toHaveLength(15);
    expect(() => testCard('american-express', 16)).toThrow(RangeError);
  });
});

describe('what is shown of a card', () => {
  it.each(TEST_CARDS)('is its last four digits and no other: $scheme', ({ number }) => {
    expect(maskPan(number)).toBe('*'.repeat(number.length - 4) + lastFourOf(number));
    expect(lastFourOf(number)).toHaveLength(4);
  });

  it('says "unknown" for digits that no scheme claims', () => {
    expect(schemeOf('9'.repeat(16))).toBe('unknown');
  });
});
