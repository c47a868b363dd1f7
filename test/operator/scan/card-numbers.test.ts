import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { findCardNumbers, schemeOf } from '../../../operator/scan/card-numbers.ts';
import { scanStream, type Finding } from '../../../operator/scan/scan-stream.ts';
import { TEST_CARDS } from '../../../sample-apps/test-cards.ts';
import type { FormatName } from '../../../sidecar/tokenizer/core/formats/format.ts';
import { FORMAT_NAMES, TOKEN_FORMATS } from '../../../sidecar/tokenizer/core/formats/registry.ts';
import { passesLuhn } from '../../../sidecar/tokenizer/core/pan.ts';

/** A number that is valid and in an issuer range, of any length. */
const pan = fc
  .tuple(
    fc.constantFrom('4', '51', '2223', '34', '37', '6011', '3528', '62', '36', '65', '5018', '6759', '9792'),
    fc.stringMatching(/^[0-9]{19}$/),
    fc.integer({ min: 12, max: 19 }),
  )
  .map(([prefix, digits, length]) => {
    const body = (prefix + digits).slice(0, length - 1);
    return (
      Array.from('0123456789')
        .map((digit) => body + digit)
        .find(passesLuhn) ?? body
    );
  })
  .filter((number) => schemeOf(number) !== undefined);

/** The same in groups of 2 to 11 digits, with one space or hyphen between, at random; or in one piece. */
const written = fc
  .tuple(
    pan,
    fc.array(fc.tuple(fc.integer({ min: 2, max: 11 }), fc.constantFrom(' ', '-')), { maxLength: 9 }),
  )
  .map(([number, cuts]) => {
    let rest = number;
    let text = '';
    for (const [length, separator] of cuts) {
      if (rest.length - length < 1) break;
      text += rest.slice(0, length) + separator;
      rest = rest.slice(length);
    }
    return rest.length < 12 || text === '' ? text + rest : number;
  });

/** What may stand beside a number without becoming a part of it. */
const around = fc.string().map((text) => text.replaceAll(/[0-9 -]/g, 'x'));

function source(name: FormatName) {
  const format = TOKEN_FORMATS[name];
  const values: Readonly<Record<string, string>> = { pan: '4111111111111111', ssn: '078-05-1120' };
  const kept = format.keptOf(values[format.fieldClass ?? ''] ?? '');
  return () => format.mint(kept, { randomBytes, regionCode: 'SYD' });
}

async function* chunksOf(text: string, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? bytes.length;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

async function scan(text: string, lengths: readonly number[] = [text.length + 1]): Promise<Finding[]> {
  const found: Finding[] = [];
  await scanStream(chunksOf(text, lengths), { onFinding: (finding) => found.push(finding) });
  return found;
}

/** Start and end count from where the stream is looked at. */
function placeOf({ line, column, digits, lastFour }: Finding): string {
  return `${line}:${column} ${digits} ${lastFour}`;
}

describe('a card number', () => {
  it.each(TEST_CARDS)('is found by its scheme: $scheme, in one piece and in fours', ({ number }) => {
    for (const text of [
      number,
      number.replaceAll(/(.{4})(?=.)/g, '$1 '),
      number.replaceAll(/(.{4})(?=.)/g, '$1-'),
    ]) {
      expect(findCardNumbers(`a "${text}",`)).toEqual([
        {
          start: 3,
          end: 3 + text.length,
          digits: number.length,
          lastFour: number.slice(-4),
          scheme: schemeOf(number),
        },
      ]);
    }
  });

  it('is never missed, however it is written and whatever stands around it', () => {
    fc.assert(
      fc.property(written, around, around, (text, before, after) => {
        const whole = before + text + after;
        const end = before.length + text.length;
        return findCardNumbers(whole).some((card) => card.start < end && card.end > before.length);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['after a letter, as JSON escapes a line feed', '\\n4111111111111111'],
    ['in track data', ';4111111111111111=29121010000000000000?'],
    ['in a query', 'pan=4111111111111111&x=1'],
    ['after a date', '2026-11-22 4111 1111 1111 1111'],
    ['after a number of its own', '17 4111111111111111'],
    ['after a number of its own, of six digits', '620550 4000000001111'],
  ])('is found %s', (_, text) => {
    expect(findCardNumbers(text).map(({ lastFour }) => lastFour)).toEqual(['1111']);
  });

  it('is found in the six and thirteen digits of UnionPay', () => {
    expect(findCardNumbers('620550-0000000000004')).toMatchObject([{ digits: 19, lastFour: '0004' }]);
  });

  it('is found beside another, in one piece or in fours', () => {
    for (const [one, other] of [
      ['4111111111111111', '5555555555554444'],
      ['4111 1111 1111 1111', '5555 5555 5555 4444'],
    ]) {
      expect(findCardNumbers(`${one} ${other}`).map(({ lastFour }) => lastFour)).toEqual(['1111', '4444']);
    }
  });

  it.each([
    ['that fails the Luhn check', '4111111111111112'],
    ['in no issuer range', '1234567812345670'],
    ['of 11 digits', '41111111116'],
    ['inside a longer number', '994111111111111111199'],
    ['with two spaces inside', '4111 1111  1111 1111'],
    ['with dots inside', '4111.1111.1111.1111'],
  ])('is none %s', (_, text) => {
    expect(findCardNumbers(text)).toEqual([]);
  });
});

describe('a token of ours', () => {
  it.each(FORMAT_NAMES)('is no finding, alone or in a list with others: %s', (format) => {
    const mint = source(format);
    for (let count = 0; count < 200; count += 1) {
      const tokens = [mint(), mint(), mint()];
      for (const text of [
        tokens.join(' '),
        tokens.join('\n'),
        `45 ${tokens.join(' 4111 ')}`,
        tokens.join(','),
      ]) {
        expect(findCardNumbers(text)).toEqual([]);
      }
    }
  });
});

describe('a stream', () => {
  it('is searched with the same result however it comes in', async () => {
    const piece = fc.oneof(
      written,
      around,
      fc.constantFrom('\n', ' ', '-', '4111', '12', source('uuid')(), source('ssn')()),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 5 }),
        async (pieces, lengths) => {
          const text = pieces.join('');
          expect((await scan(text, lengths)).map(placeOf)).toEqual((await scan(text)).map(placeOf));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('tells the line and the column, in characters', async () => {
    const text = `first\né日🂡 4111111111111111\n\n  378282246310005`;
    for (const lengths of [[1000], [1], [7]]) {
      expect((await scan(text, lengths)).map(({ line, column }) => [line, column])).toEqual([
        [2, 5],
        [4, 3],
      ]);
    }
  });

  it('is never held whole, even where it is one long line of digits', async () => {
    const line = '1'.repeat(100_000);
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (let count = 0; count < 500; count += 1) yield Buffer.from(line);
      yield Buffer.from(' 4111111111111111');
    }
    const before = process.memoryUsage().rss;
    expect(await scanStream(endless(), { onFinding: () => undefined })).toBe(1);
    expect(process.memoryUsage().rss - before).toBeLessThan(40_000_000);
  });
});
