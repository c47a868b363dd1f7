import { describe, expect, it } from '@jest/globals';
import {
  checkValues,
  FIELD_CLASSES,
  parseFieldClass,
  showField,
  type FieldClass,
} from '../../../../sidecar/tokenizer/core/field-class.ts';

function check(fieldClass: FieldClass, value: string): () => void {
  return () => checkValues([{ field: 'it', class: fieldClass, value }]);
}

describe('a value', () => {
  it.each<[FieldClass, string]>([
    ['pan', '4111111111111111'],
    ['expiry', '01/27'],
    ['expiry', '12/2031'],
    ['name', "Zoë O'Neill-日本"],
    ['email', 'joe+tag@example.co.uk'],
    ['phone', '+44 (0)20 7946-0000'],
    ['address', '1 High Street\nLondon'],
    ['text', ' '],
    ['text', 'a'.repeat(4096)],
    ['iban', 'DE89370400440532013000'],
    ['iban', 'GB82WEST12345698765432'],
    ['ip', '192.0.2.1'],
    ['ip', '2001:db8::1'],
    ['ssn', '123-45-6789'],
    ['ssn', '123456789'],
    ['ssn', '078-05-1120'],
    ['ssn', '078051120'],
    ['ssn', '899-99-9999'],
  ])('of class %s is accepted: %s', (fieldClass, value) => {
    expect(check(fieldClass, value)).not.toThrow();
  });

  it.each<[FieldClass, string]>([
    ['pan', '4111111111111112'],
    ['expiry', '13/27'],
    ['expiry', '1/27'],
    ['name', 'two\nlines'],
    ['email', 'no at sign'],
    ['email', 'a@b@c'],
    ['phone', '1234'],
    ['phone', 'call me'],
    ['text', ''],
    ['address', ''],
    ['name', ''],
    ['ssn', '078-051120'],
    ['ssn', '07805112'],
    ['ssn', '000-05-1120'],
    ['ssn', '666-05-1120'],
    ['ssn', '900-05-1120'],
    ['ssn', '078-00-1120'],
    ['ssn', '078-05-0000'],
    ['text', '\ud800 alone'],
    ['iban', 'DE88370400440532013000'],
    ['iban', 'DE89 3704 0044 0532 0130 00'],
    ['ip', '192.0.2.256'],
    ['ssn', '123-456789'],
    ['ssn', '000-45-6789'],
    ['ssn', '666-45-6789'],
    ['ssn', '900-45-6789'],
    ['ssn', '123-00-6789'],
    ['ssn', '123-45-0000'],
  ])('of class %s is refused where it does not fit: %j', (fieldClass, value) => {
    expect(check(fieldClass, value)).toThrow(expect.objectContaining({ code: 'ERR_VALUE_INVALID' }));
  });

  it.each(Object.entries(FIELD_CLASSES))('of class %s is refused one byte over its size', (name, rule) => {
    expect(check(name as FieldClass, '1'.repeat(rule.maxBytes + 1))).toThrow(
      expect.objectContaining({ code: 'ERR_VALUE_TOO_LARGE' }),
    );
  });

  it('is measured in bytes, not characters', () => {
    expect(check('text', 'é'.repeat(2049))).toThrow(/at most 4096 bytes for class text, got 4098$/);
  });

  it('is told of with every other that is wrong, each by its field and shape', () => {
    const all = (): void =>
      checkValues([
        { field: 'card', class: 'pan', value: '411111111111111' },
        { field: 'until', class: 'expiry', value: '99/99' },
        { field: 'note', class: 'text', value: 'fine' },
      ]);
    expect(all).toThrow(
      'field "card" is not a valid pan: expected 12 to 19 digits that begin with 1 to 9 and pass the Luhn check, got 15 digits that fail the Luhn check; field "until" is not a valid expiry: expected a month and a year, as MM/YY or MM/YYYY, got 5 characters of another shape',
    );
  });
});

describe('a field class', () => {
  it.each(['PAN', 'card', '', 'constructor', '__proto__', '4111111111111111'])(
    'refuses %j without showing it, and lists those that there are',
    (name) => {
      expect(() => parseFieldClass('it', name)).toThrow(
        'expected one of pan, expiry, cvv, name, email, phone, address, text, iban, ip, ssn, got another',
      );
    },
  );
});

describe('a field name in a message', () => {
  it('shows neither a long row of digits nor control characters', () => {
    expect(showField('card4111111111111111')).toBe('"card[digits]"');
    expect(showField('a\nb')).toBe('"a?b"');
  });
});
