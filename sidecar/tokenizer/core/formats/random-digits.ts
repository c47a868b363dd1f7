import { passesLuhn } from '../pan.ts';

type RandomBytes = (count: number) => Uint8Array;

/** So many draws that all fail come from a source that is not random. */
const MAX_DRAWS = 256;

/**
 * Numbers from 0 to `bound - 1`, each equally likely.
 *
 * A byte at or above the last whole multiple of `bound` is thrown away, since
 * its remainder would favour the small numbers.
 *
 * @param bound - At most 256.
 */
export function randomNumbers(count: number, bound: number, randomBytes: RandomBytes): number[] {
  const limit = 256 - (256 % bound);
  const numbers: number[] = [];
  for (let draws = 0; numbers.length < count; draws += 1) {
    if (draws === MAX_DRAWS) throw notRandom();
    for (const byte of randomBytes(count)) if (byte < limit) numbers.push(byte % bound);
  }
  return numbers.slice(0, count);
}

export function randomDigits(count: number, randomBytes: RandomBytes): string {
  return randomNumbers(count, 10, randomBytes).join('');
}

/**
 * Draws until the digits are those of no card: about one draw in ten is thrown
 * away whole, so that all others stay equally likely.
 *
 * @param draw - Makes a text whose digits are judged.
 */
export function drawFailingLuhn(draw: () => string): string {
  for (let draws = 0; draws < MAX_DRAWS; draws += 1) {
    const text = draw();
    if (failsLuhn(text)) return text;
  }
  throw notRandom();
}

export function failsLuhn(text: string): boolean {
  return !passesLuhn(text.replaceAll(/[^0-9]/g, ''));
}

function notRandom(): Error {
  return new Error(`expected random bytes, got a source whose ${MAX_DRAWS} draws in a row were of no use`);
}
