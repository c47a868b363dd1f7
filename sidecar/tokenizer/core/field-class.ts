import { isIP } from 'node:net';
import { TokenmeshError, withoutDigits } from '../../../errors/error.ts';
import { ibanProblem } from './iban.ts';
import { panProblem } from './pan.ts';
import { ssnProblem } from './ssn.ts';

/** What kind of thing a field holds: it decides who may see it, how it is checked and how it is masked. */
export type FieldClass =
  | 'pan'
  | 'expiry'
  | 'cvv'
  | 'name'
  | 'email'
  | 'phone'
  | 'address'
  | 'text'
  | 'iban'
  | 'ip'
  | 'ssn';

/** Any text is welcome: the largest value of all classes. */
const TEXT_BYTES = 4096;

interface ClassRule {
  /** In UTF-8. More than this is refused before the value is looked at. */
  readonly maxBytes: number;
  /** What a value has to look like, for the error message. */
  readonly expected: string;
  /** The shape of what is wrong, never the value. */
  readonly problemOf: (value: string) => string | undefined;
}

export const FIELD_CLASSES: Readonly<Record<FieldClass, ClassRule>> = {
  pan: {
    maxBytes: 64,
    expected: '12 to 19 digits that begin with 1 to 9 and pass the Luhn check',
    problemOf: panProblem,
  },
  expiry: {
    maxBytes: 64,
    expected: 'a month and a year, as MM/YY or MM/YYYY',
    problemOf: mustMatch(/^(?:0[1-9]|1[0-2])\/(?:[0-9]{2}|[0-9]{4})$/),
  },
  cvv: {
    maxBytes: 64,
    expected: 'a security code of three or four digits',
    problemOf: mustMatch(/^[0-9]{3,4}$/),
  },
  name: { maxBytes: TEXT_BYTES, expected: 'text in one line', problemOf: mustMatch(/^[^\p{Cc}]+$/u) },
  email: {
    maxBytes: 320,
    expected: 'a local part, an @ and a domain, with no space',
    problemOf: mustMatch(/^[^\s@]{1,64}@[^\s@]{1,255}$/),
  },
  phone: {
    maxBytes: 64,
    expected: 'five or more digits, with + ( ) . / - and spaces between them',
    problemOf: mustMatch(/^\+?(?:[ ()./-]*[0-9]){5,}[ ()./-]*$/),
  },
  address: { maxBytes: TEXT_BYTES, expected: 'text', problemOf: mustMatch(/^.+$/s) },
  text: { maxBytes: TEXT_BYTES, expected: 'text', problemOf: mustMatch(/^.+$/s) },
  iban: {
    maxBytes: 64,
    expected: 'two letters, two check digits that hold and up to 30 letters or digits, without spaces',
    problemOf: ibanProblem,
  },
  ip: {
    maxBytes: 64,
    expected: 'an IPv4 or IPv6 address',
    problemOf: (value) => (isIP(value) > 0 ? undefined : `got ${value.length} characters of another shape`),
  },
  ssn: {
    maxBytes: 64,
    expected: 'a social security number of nine digits, with or without its hyphens',
    problemOf: ssnProblem,
  },
};

export const FIELD_CLASS_NAMES = Object.keys(FIELD_CLASSES) as readonly FieldClass[];

/** A value that was sent, with the name of its field. */
export interface NamedValue {
  readonly field: string;
  readonly class: string;
  readonly value: string;
}

/** @throws {TokenmeshError} `ERR_CLASS_UNSUPPORTED`, naming the classes that there are. */
export function parseFieldClass(field: string, name: string): FieldClass {
  if (Object.hasOwn(FIELD_CLASSES, name)) return name as FieldClass;
  throw new TokenmeshError({
    code: 'ERR_CLASS_UNSUPPORTED',
    message: `field ${showField(field)} is of an unsupported class: expected one of ${FIELD_CLASS_NAMES.join(', ')}, got another`,
    remedy: 'use a class of the list',
  });
}

/**
 * Checks every value and tells of all that are wrong, each with its field.
 *
 * @throws {TokenmeshError} `ERR_VALUE_TOO_LARGE` where at least one is over its size, else `ERR_VALUE_INVALID`.
 */
export function checkValues(values: readonly (NamedValue & { readonly class: FieldClass })[]): void {
  const tooLarge = values.flatMap((each) => sizeProblem(each));
  if (tooLarge.length > 0) {
    throw new TokenmeshError({
      code: 'ERR_VALUE_TOO_LARGE',
      message: tooLarge.join('; '),
      remedy: 'send a shorter value, or split it over several fields',
    });
  }
  const invalid = values.flatMap((each) => shapeProblem(each));
  if (invalid.length > 0) {
    throw new TokenmeshError({
      code: 'ERR_VALUE_INVALID',
      message: invalid.join('; '),
      remedy: 'correct the value, or use the class that fits it',
    });
  }
}

/** A field's name as a message may show it: it is the caller's, so a long row of digits is left out. */
export function showField(field: string): string {
  return `"${withoutDigits(field.slice(0, 64).replaceAll(/[^\w-]/g, '?'))}"`;
}

function sizeProblem({ field, class: fieldClass, value }: NamedValue & { class: FieldClass }): string[] {
  const bytes = Buffer.byteLength(value);
  const { maxBytes } = FIELD_CLASSES[fieldClass];
  if (bytes <= maxBytes) return [];
  return [
    `field ${showField(field)} is too large: expected at most ${maxBytes} bytes for class ${fieldClass}, got ${bytes}`,
  ];
}

function shapeProblem({ field, class: fieldClass, value }: NamedValue & { class: FieldClass }): string[] {
  const rule = FIELD_CLASSES[fieldClass];
  const found = value.isWellFormed() ? rule.problemOf(value) : 'got text that is not valid Unicode';
  if (found === undefined) return [];
  return [`field ${showField(field)} is not a valid ${fieldClass}: expected ${rule.expected}, ${found}`];
}

function mustMatch(shape: RegExp): (value: string) => string | undefined {
  return (value) => (shape.test(value) ? undefined : `got ${value.length} characters of another shape`);
}
