/**
 * What may be shown of a card: its scheme, its last four digits, its masked number.
 *
 * @module
 */

import creditCardType from 'credit-card-type';

/** The scheme by the leading digits, `unknown` where no scheme claims them. */
export function schemeOf(pan: string): string {
  return creditCardType(pan)[0]?.type ?? 'unknown';
}

export function lastFourOf(pan: string): string {
  return pan.slice(-4);
}

/** PCI DSS 4.0 requirement 3.4.1 allows the BIN as well; the last four are enough here. */
export function maskPan(pan: string): string {
  return '*'.repeat(Math.max(pan.length - 4, 0)) + lastFourOf(pan);
}
