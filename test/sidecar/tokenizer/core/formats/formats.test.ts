import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  entropyBits,
  isConditional,
  isSmall,
  type FormatName,
  type Kept,
} from '../../../../../sidecar/tokenizer/core/formats/format.ts';
import { FORMAT_NAMES, TOKEN_FORMATS } from '../../../../../sidecar/tokenizer/core/formats/registry.ts';
import { passesLuhn } from '../../../../../sidecar/tokenizer/core/pan.ts';
import { ssnProblem } from '../../../../../sidecar/tokenizer/core/ssn.ts';
import { isToken, parseToken } from '../../../../../sidecar/tokenizer/core/token.ts';
import { TEST_CARDS } from '../../../../../sample-apps/test-cards.ts';

const source = { randomBytes, regionCode: 'SYD' };
const VALUES: Readonly<Record<string, string>> = { pan: '4111111111111111', ssn: '078-05-1120' };

function mint(name: FormatName, value?: string): string {
  const format = TOKEN_FORMATS[name];
  return format.mint(format.keptOf(value ?? VALUES[format.fieldClass ?? ''] ?? ''), source);
}

function keptOf(name: FormatName): Kept {
  const format = TOKEN_FORMATS[name];
  return format.keptOf(VALUES[format.fieldClass ?? ''] ?? '');
}

/** The number with a check digit that fits. */
function withCheckDigit(body: string): string {
  return (
    Array.from('0123456789')
      .map((digit) => body + digit)
      .find(passesLuhn) ?? body
  );
}

const pan = fc.stringMatching(/^[0-9]{11,18}$/).map(withCheckDigit);
const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';

describe('a token', () => {
  it.each<[FormatName, RegExp]>([
    ['default', /^tkn_[bcdfghjklmnpqrst]{40}$/],
    ['uuid', new RegExp(`^${uuid}$`)],
    ['region', new RegExp(`^TKN-SYD-${uuid}$`)],
    ['email', /^[bcdfghjklmnpqrst]{40}@tokens\.invalid$/],
    ['pan', /^0[0-9]{11}1111$/],
    ['pan-random', /^0[0-9]{15}$/],
    ['phone', /^\+999[0-9]{12}$/],
    ['ssn', /^9[0-9]{2}-[0-9]{2}-[0-9]{4}$/],
    ['ssn-last-four', /^9[0-9]{2}-[0-9]{2}-1120$/],
  ])('of the format %s has its grammar', (name, grammar) => {
    for (let count = 0; count < 200; count += 1) expect(mint(name)).toMatch(grammar);
  });

  it.each<[FormatName, string]>([
    ['uuid', '01234567-89ab-4def-8123-456789abcdef'],
    ['region', 'TKN-SYD-01234567-89ab-4def-8123-4567e7325043'],
    ['email', 'bcdfghjklmnpqrstbcdfghjklmnpqrstttmgkkdk@tokens.invalid'],
  ])('of the format %s is a function of its random bytes: %s', (name, token) => {
    const bytes = Buffer.from('0123456789abcdef0123456789abcdef', 'hex');
    expect(TOKEN_FORMATS[name].mint({}, { randomBytes: () => bytes, regionCode: 'SYD' })).toBe(token);
  });

  it.each<[FormatName, FormatName, boolean]>([
    ['default', 'default', true],
    ['region', 'region', true],
    ['email', 'email', true],
    ['uuid', 'uuid', false],
    ['pan', 'pan', false],
    ['pan-random', 'pan', false],
    ['phone', 'phone', false],
    ['ssn', 'ssn', false],
    ['ssn-last-four', 'ssn', false],
  ])('of the format %s is recognized as %s, certain: %s', (name, format, certain) => {
    for (let count = 0; count < 200; count += 1) {
      const token = mint(name);
      expect(isToken(token)).toEqual({ format, certain });
      expect(parseToken(token)).toBe(token);
    }
  });

  it.each<FormatName>(['default', 'region', 'email'])(
    'of the format %s is none any more with one character changed',
    (name) => {
      fc.assert(
        fc.property(fc.nat(), fc.constantFrom(...Array.from('bct0Zz-@')), (position, character) => {
          const token = mint(name);
          const at = position % token.length;
          fc.pre(token[at] !== character);
          return isToken(token.slice(0, at) + character + token.slice(at + 1))?.certain !== true;
        }),
      );
    },
  );

  it.each(FORMAT_NAMES)('of the format %s is none any more with something before or after it', (name) => {
    const token = mint(name);
    for (const text of [` ${token}`, `${token} `, `${token}\n`, `x${token}`]) {
      expect(isToken(text)).toBeUndefined();
    }
  });

  it.each<[FormatName, number]>([
    ['default', 128],
    ['email', 128],
    ['uuid', 122],
    ['region', 90],
    ['pan', 36.4],
    ['pan-random', 49.7],
    ['phone', 39.7],
    ['ssn', 25.5],
    ['ssn-last-four', 12.2],
  ])('of the format %s has %d random bits', (name, bits) => {
    expect(entropyBits(TOKEN_FORMATS[name], keptOf(name))).toBeCloseTo(bits, 0);
  });

  it('needs no condition with 122 random bits, and with fewer it does', () => {
    const conditional = FORMAT_NAMES.filter((name) => isConditional(TOKEN_FORMATS[name], keptOf(name)));
    expect(conditional).toEqual(['region', 'pan', 'pan-random', 'phone', 'ssn', 'ssn-last-four']);
  });

  it('has a million others like it, but for a social security number with its last four', () => {
    expect(FORMAT_NAMES.filter((name) => isSmall(TOKEN_FORMATS[name], keptOf(name)))).toEqual([
      'ssn-last-four',
    ]);
    expect(isSmall(TOKEN_FORMATS.pan, { length: 12, lastFour: '1111' })).toBe(false);
  });

  it('is never a value of the class whose shape it has', () => {
    const look = { pan: 'pan', 'pan-random': 'pan', ssn: 'ssn', 'ssn-last-four': 'ssn' } as const;
    for (const name of Object.keys(look) as (keyof typeof look)[]) {
      for (let count = 0; count < 500; count += 1) {
        const token = mint(name);
        expect(look[name] === 'pan' ? passesLuhn(token) : ssnProblem(token) === undefined).toBe(false);
      }
    }
  });
});

describe('a token in the shape of a card number', () => {
  it('has the length and the last four digits of the number, and of the rest nothing', () => {
    fc.assert(
      fc.property(pan, (value) => {
        const kept = TOKEN_FORMATS.pan.keptOf(value);
        const token = mint('pan', value);
        return (
          token.length === value.length &&
          token.endsWith(value.slice(-4)) &&
          token.startsWith('0') &&
          !passesLuhn(token) &&
          JSON.stringify(kept) === JSON.stringify({ length: value.length, lastFour: value.slice(-4) })
        );
      }),
    );
  });

  it('has but the length of the number in the format pan-random', () => {
    fc.assert(
      fc.property(pan, (value) => {
        expect(TOKEN_FORMATS['pan-random'].keptOf(value)).toEqual({ length: value.length });
        return mint('pan-random', value).length === value.length;
      }),
    );
  });

  it.each(TEST_CARDS)('is never a card: $scheme', ({ number }) => {
    expect(isToken(number)).toBeUndefined();
    expect(isToken(mint('pan', number))).toEqual({ format: 'pan', certain: false });
  });
});

describe('a token in the shape of a social security number', () => {
  it('is in no group that the tax office gives out, and in no issuer range', () => {
    for (let count = 0; count < 5_000; count += 1) {
      const [area, group] = mint('ssn').split('-').map(Number);
      expect(area).not.toBe(979);
      expect(group).not.toBe(0);
      const isTaxpayers = [
        [50, 65],
        [70, 88],
        [90, 99],
      ].some(([first = 0, last = 0]) => Number(group) >= first && Number(group) <= last);
      expect(isTaxpayers).toBe(false);
    }
  });

  it.each(['078-05-1120', '912-70-1234', '912-93-1234', '979-20-1234', '912-00-1234', '912045678'])(
    'is not taken for one: %s',
    (text) => {
      expect(isToken(text)).toBeUndefined();
    },
  );
});

describe('a token that names its region', () => {
  it('is not made without a region code, or with one that is no code', () => {
    for (const regionCode of [undefined, '', 'syd', 'S', 'SYDNE']) {
      expect(() => TOKEN_FORMATS.region.mint({}, { randomBytes, regionCode })).toThrow(
        expect.objectContaining({ code: 'ERR_KIND_UNSUPPORTED' }),
      );
    }
  });

  it('is one in whatever region it is read', () => {
    const token = TOKEN_FORMATS.region.mint({}, { randomBytes, regionCode: 'IAD' });
    expect(isToken(token)).toEqual({ format: 'region', certain: true });
    expect(isToken(token.replace('IAD', 'SYD'))).toBeUndefined();
  });
});

describe('isToken', () => {
  it('takes no text of others for a token that is certain', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.uuid(), fc.emailAddress(), pan), (text) => {
        return isToken(text)?.certain !== true;
      }),
    );
  });
});
