import type { FieldClass } from './field-class.ts';

/** Stands for what is left out. Its length says nothing about the value's. */
const HIDDEN = '***';

const MASKS: Readonly<Record<FieldClass, (value: string) => string>> = {
  pan: maskPan,
  email: maskEmail,
  expiry: () => HIDDEN,
  name: () => HIDDEN,
  phone: () => HIDDEN,
  address: () => HIDDEN,
  text: () => HIDDEN,
  ssn: (value) => `***-**-${value.slice(-4)}`,
};

/**
 * What a caller sees who may use a value, but not read it.
 *
 * A PAN keeps its length and its last four digits, within what PCI DSS 4.0
 * requirement 3.4.1 lets everybody see. A social security number shows its
 * last four, with hyphens whatever it had. An e-mail address keeps its first
 * character and its domain. Everything else is hidden whole.
 */
export function mask(fieldClass: FieldClass, value: string): string {
  return MASKS[fieldClass](value);
}

function maskPan(value: string): string {
  return value.slice(-4).padStart(value.length, '*');
}

/** The first character of a local part of one would be all of it. */
function maskEmail(value: string): string {
  const at = value.lastIndexOf('@');
  const [first = '', ...rest] = Array.from(value.slice(0, at));
  return (rest.length > 0 ? first : '') + HIDDEN + value.slice(at);
}
