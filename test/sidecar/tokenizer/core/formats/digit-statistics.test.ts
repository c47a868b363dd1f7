import { describe, expect, it } from '@jest/globals';
import { CRITICAL_VALUES, measureFormat } from '../../../../../bench/digit-statistics.ts';
import { NUMERIC_FORMATS, SMALL_FORMAT } from '../../../../../bench/numeric-formats.ts';
import { randomDigits, randomNumbers } from '../../../../../sidecar/tokenizer/core/formats/random-digits.ts';
import { seededRandom } from '../../../../../local/seeded-random.ts';

const COUNT = 20_000;

describe('20,000 tokens of a format made of digits', () => {
  it.each(NUMERIC_FORMATS.map((each) => [each.format.name, each] as const))(
    'are all different, no card numbers, and fair in every digit: %s',
    (_, numericCase) => {
      const measured = measureFormat(numericCase, COUNT, { randomBytes: seededRandom(7) });
      expect(measured).toMatchObject({ made: COUNT, passingLuhn: 0, inIssuerRange: 0 });
      expect(measured.redrawn).toBeLessThan(20);
      expect(measured.chiSquares.length).toBeGreaterThan(0);
      expect(measured.chiSquares.filter(({ value, critical }) => value >= critical)).toEqual([]);
    },
  );

  it('are told to be unfair where one digit is a little more likely', () => {
    const [numericCase] = NUMERIC_FORMATS;
    if (numericCase === undefined) throw new Error('expected a format');
    const fair = seededRandom(7);
    const modulo = (count: number): Uint8Array => fair(count).map((byte) => (byte >= 250 ? 0 : byte));
    const { chiSquares } = measureFormat(numericCase, COUNT, { randomBytes: modulo });
    expect(chiSquares.every(({ value, critical }) => value > critical)).toBe(true);
  });
});

describe('the small format', () => {
  it('gives every token that it counts', () => {
    const { format, kept } = SMALL_FORMAT;
    const possibilities = format.possibilities(kept);
    const { made, passingLuhn, inIssuerRange } = measureFormat(SMALL_FORMAT, possibilities, {
      randomBytes: seededRandom(8),
    });
    expect([made, passingLuhn, inIssuerRange]).toEqual([possibilities, 0, 0]);
  });
});

/** The chance of more than `value` with an even number of degrees, for which there is a closed form. */
function chanceAbove(value: number, degrees: number): number {
  let term = Math.exp(-value / 2);
  let sum = 0;
  for (let index = 0; index < degrees / 2; index += 1) {
    sum += term;
    term *= value / 2 / (index + 1);
  }
  return sum;
}

describe('the critical values of chi-square', () => {
  it('are passed by one fair position in a million', () => {
    expect(chanceAbove(CRITICAL_VALUES[98] ?? 0, 98) * 1e6).toBeCloseTo(1, 1);
    for (const degrees of [9, 53]) {
      const value = CRITICAL_VALUES[degrees] ?? 0;
      expect(chanceAbove(value, degrees - 1)).toBeLessThan(1e-6);
      expect(chanceAbove(value, degrees + 1)).toBeGreaterThan(1e-6);
    }
  });
});

describe('random digits', () => {
  it('throw away the bytes that would favour the small ones', () => {
    const draws = [Uint8Array.of(255, 250, 249), Uint8Array.of(7, 251, 12), Uint8Array.of(1, 2, 3)];
    expect(randomDigits(3, () => draws.shift() ?? Uint8Array.of())).toBe('972');
  });

  it('are given up on where the source is not random', () => {
    expect(() => randomDigits(3, () => new Uint8Array(3).fill(255))).toThrow(/of no use/);
    expect(() => randomNumbers(1, 99, () => Uint8Array.of())).toThrow(/of no use/);
  });
});
