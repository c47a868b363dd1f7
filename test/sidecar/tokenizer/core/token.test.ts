import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  isToken,
  mintToken,
  parseToken,
  TOKEN_RANDOM_BYTES,
} from '../../../../sidecar/tokenizer/core/token.ts';

const random = fc.uint8Array({ minLength: TOKEN_RANDOM_BYTES, maxLength: TOKEN_RANDOM_BYTES });

describe('a random token', () => {
  it.each([
    ['00000000000000000000000000000000', 'tkn_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbsbhmmrtq'],
    ['0123456789abcdef0123456789abcdef', 'tkn_bcdfghjklmnpqrstbcdfghjklmnpqrstpgrkclqk'],
    ['ffffffffffffffffffffffffffffffff', 'tkn_ttttttttttttttttttttttttttttttttttqlmmst'],
  ])('is a function of its random bytes: %s', (bytes, token) => {
    expect(mintToken(Buffer.from(bytes, 'hex'))).toBe(token);
  });

  it('is a token, with no digit and no vowel', () => {
    fc.assert(
      fc.property(random, (bytes) => {
        const token = mintToken(bytes);
        return (
          isToken(token)?.format === 'default' &&
          parseToken(token) === token &&
          /^tkn_[b-df-hj-np-t]{40}$/.test(token)
        );
      }),
    );
  });

  it('differs wherever its random bytes differ', () => {
    fc.assert(
      fc.property(random, random, (one, other) => {
        fc.pre(!Buffer.from(one).equals(other));
        return mintToken(one) !== mintToken(other);
      }),
    );
  });

  it('is no longer one with any single letter changed', () => {
    fc.assert(
      fc.property(
        random,
        fc.nat({ max: 43 }),
        fc.constantFrom(...Array.from('bcdfghjklmnpqrst0Ae_')),
        (bytes, at, letter) => {
          const token = mintToken(bytes);
          fc.pre(token[at] !== letter);
          return !isToken(token.slice(0, at) + letter + token.slice(at + 1));
        },
      ),
    );
  });

  it('is not made from another number of random bytes', () => {
    expect(() => mintToken(new Uint8Array(15))).toThrow(RangeError);
  });
});

describe('parsing a token', () => {
  const token = mintToken(Buffer.alloc(TOKEN_RANDOM_BYTES, 7));
  it.each([
    ['nothing', ''],
    ['a card number', '4111111111111111'],
    ['a space at the end', `${token} `],
    ['a line feed at the end', `${token}\n`],
    ['capitals', token.toUpperCase()],
    ['a missing letter', token.slice(0, -1)],
    ['a wrong checksum', token.slice(0, -1) + (token.endsWith('b') ? 'c' : 'b')],
    ['another prefix', token.replace('tkn_', 'tok_')],
  ])('refuses %s', (_, text) => {
    expect(isToken(text)).toBeUndefined();
    expect(() => parseToken(text)).toThrow(expect.objectContaining({ code: 'ERR_TOKEN_MALFORMED' }));
  });

  it.each(['4111111111111111', `${token}x`])('shows nothing of what it refuses: %s', (text) => {
    let shown = '';
    try {
      parseToken(text);
    } catch (error) {
      shown = JSON.stringify(error) + String(error);
    }
    expect(shown).toContain('malformed');
    expect(shown).not.toContain(text.slice(4, 12));
  });
});
