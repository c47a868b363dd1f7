import { describe, expect, it } from '@jest/globals';
import {
  contextOf,
  isSameContext,
  type EncryptionContext,
} from '../../../../sidecar/tokenizer/core/encryption-context.ts';

const expected: EncryptionContext = { tenant: 'shop', token: 'tkn_x', field: 'card', class: 'pan' };

describe('the encryption context of a message', () => {
  it('is the expected one, in any order', () => {
    expect(isSameContext(expected, { class: 'pan', field: 'card', token: 'tkn_x', tenant: 'shop' })).toBe(
      true,
    );
  });

  it.each([
    ['one entry more', { ...expected, extra: 'x' }],
    ['one entry less', { tenant: 'shop', token: 'tkn_x', field: 'card' }],
    ['one entry under another name', { tenant: 'shop', token: 'tkn_x', field: 'card', klass: 'pan' }],
    ['one entry of another value', { ...expected, tenant: 'other' }],
    ['nothing', {}],
    ['a revision where the record has none', { ...expected, revision: '1' }],
  ])('refuses %s', (_, found) => {
    expect(isSameContext(expected, found)).toBe(false);
  });

  it('has four entries, and for a pointer the revision as a fifth', () => {
    const key = { tenant: 'shop', token: 'tkn_x' };
    expect(contextOf(key, 'card', 'pan')).toStrictEqual(expected);
    const second = contextOf({ ...key, revision: 2 }, 'card', 'pan');
    expect(second).toStrictEqual({ ...expected, revision: '2' });
    expect(isSameContext(second, { ...expected, revision: '1' })).toBe(false);
    expect(isSameContext(second, expected)).toBe(false);
  });
});
