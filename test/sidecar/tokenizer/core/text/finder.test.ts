import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { testCard } from '../../../../../sample-apps/test-cards.ts';
import { detectionPorts } from '../../../../../sidecar/tokenizer/adapters/detection/detection-ports.ts';
import { createFinder } from '../../../../../sidecar/tokenizer/core/text/finder.ts';
import { FINDING_CLASSES, type FindingClass } from '../../../../../sidecar/tokenizer/core/text/finding.ts';
import { mintToken } from '../../../../../sidecar/tokenizer/core/token.ts';

const VISA = testCard('visa', 16).number;
const AMEX = testCard('american-express', 15).number;
const MASTERCARD = testCard('mastercard', 16).number;
const grouped = (digits: string, separator: string): string =>
  (digits.match(/.{1,4}/g) ?? []).join(separator);
const inScript = (digits: string, zero: number): string =>
  Array.from(digits, (digit) => String.fromCodePoint(zero + Number(digit))).join('');

async function found(
  text: string,
  options: { country?: string; name?: string; classes?: readonly FindingClass[] } = {},
): Promise<string[]> {
  const { country, name, classes = FINDING_CLASSES } = options;
  const findings = await createFinder({ classes: new Set(classes), country }, detectionPorts)(text, name);
  return findings.map((each) => `${each.class} ${text.slice(each.start, each.end)}`);
}

describe('a card number', () => {
  it.each([
    ['plain', VISA],
    ['with spaces', grouped(VISA, ' ')],
    ['with two spaces', grouped(VISA, '  ')],
    ['with hyphens', grouped(VISA, '-')],
    ['with dots', grouped(VISA, '.')],
    ['with no-break spaces', grouped(VISA, '\u00a0')],
    ['with en dashes', grouped(VISA, '\u2013')],
    ['with zero-width spaces', grouped(VISA, '\u200b')],
    ['in full-width digits', inScript(VISA, 0xff10)],
    ['in Arabic digits', inScript(VISA, 0x660)],
    ['in Devanagari digits', inScript(VISA, 0x966)],
    ['in mathematical digits, two code units each', inScript(VISA, 0x1d7ce)],
    ['as American Express prints it', `${AMEX.slice(0, 4)} ${AMEX.slice(4, 10)} ${AMEX.slice(10)}`],
  ])('is found %s', async (_, written) => {
    expect(await found(`my card 🂡 ${written}, ok`)).toEqual([`pan ${written}`]);
    expect(await found(written)).toEqual([`pan ${written}`]);
  });

  it('is found beside others, and beside its date and code', async () => {
    const [one, two] = [grouped(VISA, ' '), grouped(MASTERCARD, ' ')];
    expect(await found(`${one} ${two}`)).toEqual([`pan ${one}`, `pan ${two}`]);
    expect(await found(`${one} 12 27 123`)).toEqual([`pan ${one}`]);
  });

  it.each([
    ['with a digit changed', `${VISA.slice(0, -1)}2`],
    ['inside a longer number', `9${VISA}9999`],
    ['inside a word', `a${VISA}b`],
    ['as the fraction of a number', `0.${VISA}`],
    ['of no issuer', '0000000000000000'],
    ['as a phone number', `+${AMEX}`],
  ])('is not found %s', async (_, written) => {
    expect(await found(written)).toEqual([]);
  });
});

describe('other values', () => {
  it.each<[string, string[], object?]>([
    ['Pay DE89 3704 0044 0532 0130 00 now', ['iban DE89 3704 0044 0532 0130 00']],
    ['Pay DE88370400440532013000 now', []],
    ['from Ann <ann@example.com>.', ['email ann@example.com']],
    ['ann@example..com and .ann.@example.com', []],
    ['call (415) 555-0132', ['phone (415) 555-0132'], { country: 'US' }],
    ['call (415) 555-0132', []],
    ['call +1 415 555 0132', ['phone +1 415 555 0132']],
    ['4155550132', [], { country: 'US' }],
    ['mobile 4155550132', ['phone 4155550132'], { country: 'US' }],
    ['SSN 123-45-6789', ['ssn 123-45-6789']],
    ['ssn 123456789', ['ssn 123456789']],
    ['123456789', []],
    ['000-12-3456 666-12-3456 900-12-3456 123-00-4567 123-45-0000', []],
    ['from 192.0.2.1:443 and 2001:db8::1', ['ip 192.0.2.1', 'ip 2001:db8::1']],
    ['version 1.2.3.4', []],
    ['cvv: 123', ['cvv 123']],
    [String.raw`{\"cvv\":\"123\",\"name\":\"Ann Lee\"}`, ['cvv 123', 'name Ann Lee']],
    ['/pay?card_holder=x&phone=12345', ['name x', 'phone 12345']],
  ])('are found as they should be: %s', async (text, expected, options = {}) => {
    expect(await found(text, options)).toEqual(expected);
  });

  it('are looked for only as far as they are wanted', async () => {
    expect(await found('ann@example.com 192.0.2.1', { classes: ['ip'] })).toEqual(['ip 192.0.2.1']);
  });

  it('are known by the name of their field, whatever its spelling', async () => {
    for (const name of ['cardHolderName', 'cardholder_name', 'CARDHOLDER-NAME']) {
      expect(await found(' Ann Lee ', { name })).toEqual(['name Ann Lee']);
    }
    expect(await found('Ann Lee', { name: 'filename' })).toEqual([]);
    expect(await found('none', { name: 'phone' })).toEqual([]);
  });

  it('are the longer of two that overlap', async () => {
    expect(await found(`${VISA}@example.com`)).toEqual([`email ${VISA}@example.com`]);
    expect(await found('Ann <ann@example.com>', { name: 'name' })).toEqual(['name Ann <ann@example.com>']);
  });

  it('are never a token of ours, or a part of what holds one', async () => {
    const token = mintToken(Buffer.alloc(16, 7));
    expect(await found(`${token} ${token}@example.com`)).toEqual([]);
    expect(await found(token, { name: 'name' })).toEqual([]);
  });
});

describe('the places of findings', () => {
  it('are those of the text as it was sent, whatever stands around', async () => {
    const planted = fc.constantFrom(
      grouped(VISA, ' '),
      inScript(AMEX, 0x1d7ce),
      'ann@example.com',
      '123-45-6789',
      '192.0.2.7',
    );
    const around = fc.string({ unit: fc.constantFrom('😀', 'é', '𝒳', ' ', ';', '\u200b', 'ｱ', '\n') });
    await fc.assert(
      fc.asyncProperty(around, planted, around, async (before, value, after) => {
        const findings = await createFinder(
          { classes: new Set(FINDING_CLASSES) },
          detectionPorts,
        )(`${before};${value};${after}`);
        expect(findings.map(({ start, end }) => [start, end])).toEqual([
          [before.length + 1, before.length + 1 + value.length],
        ]);
      }),
      { numRuns: 200 },
    );
  });
});

describe('the time to search', () => {
  const hostile = [
    '1',
    '1 ',
    '11 ',
    '+1 ',
    '(',
    '@',
    'a@',
    'a@b.',
    '.',
    '1.',
    ':',
    'a:',
    '"a":',
    '"name":"',
    '?name=',
    'DE89',
    'DE89 ',
    'cvv ',
    '%40',
    '1-',
    '\u200b1',
    '𝟒 ',
    'tkn_',
    '\\"',
    '1800000000000000 ',
    'x 1 x',
  ];

  /** Milliseconds of processor time, which other processes of the machine do not stretch as they do the clock. */
  async function cost(unit: string, length: number): Promise<number> {
    const find = createFinder({ classes: new Set(FINDING_CLASSES), country: 'US' }, detectionPorts);
    const before = process.cpuUsage();
    // With a digit and a sign before it, so that no detector is spared.
    await find(`1 @ ${unit.repeat(Math.ceil(length / unit.length))}`).catch(() => {});
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  }

  it.each(hostile)(
    'grows with the length of %j, and not with its square',
    async (unit) => {
      await cost(unit, 4_096);
      let best = Infinity;
      for (let attempt = 0; attempt < 5 && best > 20; attempt += 1) {
        const short = await cost(unit, 4_096);
        best = Math.min(best, (await cost(unit, 65_536)) / (short + 2));
      }
      // Sixteen times the length: a square would be 256 times the time.
      expect(best).toBeLessThan(48);
    },
    60_000,
  );
});
