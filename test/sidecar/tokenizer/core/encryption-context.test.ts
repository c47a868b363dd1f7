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

  it('has one entry more for each trait that the record has, and none for what is left out', () => {
    const key = { tenant: 'shop', token: 'tkn_x' };
    expect(contextOf({ ...key, kind: 'random', format: 'default' }, 'card', 'pan')).toStrictEqual(expected);
    const all = {
      ...key,
      kind: 'one-time',
      format: 'uuid',
      expiresAt: new Date(1_700_000_000_123),
      subject: 'customer-7',
    };
    const context = contextOf(all, 'card', 'pan');
    expect(context).toStrictEqual({
      ...expected,
      kind: 'one-time',
      format: 'uuid',
      expiresAtMs: '1700000000123',
      subject: 'customer-7',
    });
    const { kind: _kind, ...unlimited } = all;
    const later = { ...all, expiresAt: new Date(1_700_000_000_124) };
    for (const other of [unlimited, later, { ...all, format: 'region' }, { ...all, subject: 'customer-8' }]) {
      expect(isSameContext(contextOf(other, 'card', 'pan'), context)).toBe(false);
    }
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
