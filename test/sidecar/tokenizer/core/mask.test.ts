import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FIELD_CLASS_NAMES } from '../../../../sidecar/tokenizer/core/field-class.ts';
import { mask, maskBy, MASK_TEMPLATES, type MaskTemplate } from '../../../../sidecar/tokenizer/core/mask.ts';

const pan = fc.stringMatching(/^[0-9]{12,19}$/);
const anything = fc.string({ unit: 'binary', maxLength: 60 });
const HIDDEN_WHOLE = FIELD_CLASS_NAMES.filter((name) => {
  const { keepFirst, keepLast } = MASK_TEMPLATES[name];
  return keepFirst + keepLast === 0;
});

describe('the masked form', () => {
  it.each([
    ['pan', '4111111111111111', '************1111'],
    ['pan', '378282246310005', '***********0005'],
    ['pan', '123456789012', '********9012'],
    ['pan', '12345678901', '***'],
    ['email', 'joe@example.com', 'j***@example.com'],
    ['email', 'j@example.com', '***@example.com'],
    ['email', '🂡x@example.com', '🂡***@example.com'],
    ['email', 'no at sign', 'n***'],
    ['expiry', '12/29', '***'],
    ['name', 'Joe Bloggs', 'J*** B***'],
    ['name', 'Joe X Bloggs', 'J*** *** B***'],
    ['name', '  Joe\t Bloggs ', 'J*** B***'],
    ['name', 'A Sentence Of Many Words', '*** S*** O***'],
    ['name', ' ', '***'],
    ['phone', '+44 20 7946 0018', '***18'],
    ['phone', '(020) 7946-0018.', '***18'],
    ['phone', '12345', '***45'],
    ['phone', '1234', '***'],
    ['address', '1 High Street', '***'],
    ['text', 'anything', '***'],
    ['email', 'ann%40example.com', 'a***%40example.com'],
    ['iban', 'DE89370400440532013000', 'DE***3000'],
    ['ip', '192.0.2.17', '192.0.***'],
    ['ip', '2001:db8::17', '2001:db8:***'],
    ['ssn', '123-45-6789', '***6789'],
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

  it('of a card number is the same for all that share their length and last four', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9]{8,15}$/), fc.stringMatching(/^[0-9]{4}$/), (hidden, last) => {
        const zeros = '0'.repeat(hidden.length);
        return mask('pan', hidden + last) === mask('pan', zeros + last);
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

  it('of a phone number is the same for all that share the last two digits, whatever their length', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\+?[0-9 ()./-]{3,40}$/), (rest) => {
        fc.pre(rest.replaceAll(/[^0-9]/g, '').length >= 3);
        return mask('phone', `${rest} 18 `) === '***18';
      }),
    );
  });

  it('of a name is the same for all that share their initials, whatever their length', () => {
    const word = fc.stringMatching(/^[\p{L}'-]{1,20}$/u);
    fc.assert(fc.property(word, word, (one, two) => mask('name', `J${one} B${two}`) === 'J*** B***'));
  });

  it.each(HIDDEN_WHOLE)('of class %s is one and the same for every value', (fieldClass) => {
    fc.assert(fc.property(anything, (value) => mask(fieldClass, value) === '***'));
  });

  it('exists for every class, and is never the value', () => {
    const value = 'abcdef@example.com';
    expect(FIELD_CLASS_NAMES.filter((name) => mask(name, value) === value)).toEqual([]);
  });
});

describe('a mask template', () => {
  const template: fc.Arbitrary<MaskTemplate> = fc.record({
    of: fc.constantFrom('characters', 'digits'),
    keepFirst: fc.nat(4),
    keepLast: fc.nat(4),
    hideAtLeast: fc.integer({ min: 1, max: 8 }),
    length: fc.constantFrom('kept', 'hidden'),
  });

  it('shows no more characters than it keeps, and only where enough stay hidden', () => {
    fc.assert(
      fc.property(template, anything, (given, value) => {
        fc.pre(!value.includes('*'));
        const shown = Array.from(maskBy(given, value).replaceAll('*', ''));
        const all = Array.from(given.of === 'digits' ? value.replaceAll(/[^0-9]/g, '') : value);
        const isWithin = shown.length <= given.keepFirst + given.keepLast;
        return isWithin && (shown.length === 0 || all.length - shown.length >= given.hideAtLeast);
      }),
    );
  });

  it('that hides the length tells nothing of it', () => {
    fc.assert(
      fc.property(template, anything, (given, value) => {
        const masked = maskBy({ ...given, length: 'hidden' }, value);
        const longer = maskBy({ ...given, length: 'hidden', keepFirst: 0, keepLast: 0 }, `${value}${value}`);
        return Array.from(masked).length <= 3 + given.keepFirst + given.keepLast && longer === '***';
      }),
    );
  });

  it('of a class that ships shows at most four characters of a word or number, and of an IBAN its country too', () => {
    const kept = FIELD_CLASS_NAMES.filter((name) => name !== 'iban').map(
      (name) => MASK_TEMPLATES[name].keepFirst + MASK_TEMPLATES[name].keepLast,
    );
    expect(Math.max(...kept)).toBe(4);
    expect(MASK_TEMPLATES.iban).toMatchObject({ keepFirst: 2, keepLast: 4 });
    const { keepFirst, keepLast } = MASK_TEMPLATES.pan;
    expect([keepFirst, keepLast]).toEqual([0, 4]);
  });
});
