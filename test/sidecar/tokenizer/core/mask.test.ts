import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FIELD_CLASS_NAMES } from '../../../../sidecar/tokenizer/core/field-class.ts';
import { mask } from '../../../../sidecar/tokenizer/core/mask.ts';

const pan = fc.stringMatching(/^[0-9]{12,19}$/);

describe('the masked form', () => {
  it.each([
    ['pan', '4111111111111111', '************1111'],
    ['pan', '378282246310005', '***********0005'],
    ['email', 'joe@example.com', 'j***@example.com'],
    ['email', 'j@example.com', '***@example.com'],
    ['email', '🂡x@example.com', '🂡***@example.com'],
    ['expiry', '12/29', '***'],
    ['name', 'Joe Bloggs', '***'],
    ['phone', '+44 20 7946 0000', '***'],
    ['address', '1 High Street', '***'],
    ['text', 'anything', '***'],
    ['ssn', '078-05-1120', '***-**-1120'],
    ['ssn', '078051120', '***-**-1120'],
  ] as const)('of class %s hides all but what is stated: %s', (fieldClass, value, masked) => {
    expect(mask(fieldClass, value)).toBe(masked);
  });

  it('of a card number shows four digits, at its end, and its length', () => {
    fc.assert(
      fc.property(pan, (value) => {
        const masked = mask('pan', value);
        return (
          /^\*+[0-9]{4}$/.test(masked) && masked.length === value.length && value.endsWith(masked.slice(-4))
        );
      }),
    );
  });

  it('of an e-mail address is the same for all that share the first character and the domain', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 60 }), (rest) => {
        fc.pre(!/[\s@]/.test(rest) && rest.isWellFormed());
        return mask('email', `j${rest}@example.com`) === 'j***@example.com';
      }),
    );
  });

  it('exists for every class, and is never the value', () => {
    const value = 'abcdef@example.com';
    expect(FIELD_CLASS_NAMES.filter((name) => mask(name, value) === value)).toEqual([]);
  });
});
