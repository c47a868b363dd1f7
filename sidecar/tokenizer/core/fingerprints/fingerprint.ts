/**
 * Fingerprints: what tells that two values are the same, to who holds the key and to nobody else.
 *
 * Never a bare hash (PCI DSS 4.0 requirement 3.5.1.1): all card numbers can be tried in hours.
 *
 * @module
 */

import { createHmac } from 'node:crypto';
import { lettersOf } from '../audit/letters.ts';
import type { FieldClass } from '../field-class.ts';
import type { VersionKeys } from './version-keys.ts';

/** A value with all that does not make it another one left out. Whatever may be of meaning is kept. */
export function canonicalValue(fieldClass: FieldClass, value: string): string {
  const rule = CANONICAL[fieldClass];
  return rule === undefined ? value.normalize('NFC') : rule(value);
}

const digitsOf = (value: string): string => value.replaceAll(/[^0-9]/g, '');

/** The local part of an address may tell capitals from small letters (RFC 5321 section 2.4); its domain does not. */
const CANONICAL: Readonly<Partial<Record<FieldClass, (value: string) => string>>> = {
  pan: digitsOf,
  ssn: digitsOf,
  phone: (value) => (value.trimStart().startsWith('+') ? '+' : '') + digitsOf(value),
  iban: (value) => value.replaceAll(/\s/g, '').toUpperCase(),
  ip: (value) => value.toLowerCase(),
  email: (value) => {
    const at = value.lastIndexOf('@');
    return value.slice(0, at) + value.slice(at).toLowerCase();
  },
};

/** What is fingerprinted: a value as it counts, with its class and tenant. */
export interface Fingerprinted {
  readonly tenant: string;
  readonly class: FieldClass;
  readonly value: string;
}

/** Of the fingerprint of a value under one version of the key: the partition of its rows in the index. */
export function partitionOf(keys: VersionKeys, fingerprinted: Fingerprinted): string {
  return `${fingerprinted.tenant}#${keys.version}#${fingerprintOf(keys, fingerprinted)}`;
}

function fingerprintOf(keys: VersionKeys, { tenant, class: fieldClass, value }: Fingerprinted): string {
  const message = JSON.stringify([tenant, fieldClass, canonicalValue(fieldClass, value)]);
  return lettersOf(createHmac('sha256', keys.fingerprint).update(message, 'utf8').digest());
}
