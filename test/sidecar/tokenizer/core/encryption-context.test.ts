import { describe, expect, it } from '@jest/globals';
import {
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
  ])('refuses %s', (_, found) => {
    expect(isSameContext(expected, found)).toBe(false);
  });
});
