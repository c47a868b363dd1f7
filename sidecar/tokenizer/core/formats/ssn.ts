/**
 * Tokens in the shape of a US social security number that nobody has.
 *
 * The Social Security Administration assigns no number in the areas 900 to 999.
 * The tax office gives numbers of that area to those who have no social
 * security number (ITIN: groups 50-65, 70-88, 90-92, 94-99) and to children to
 * be adopted (ATIN: group 93): those groups are left out. So is area 979,
 * since 9792 starts the card numbers of an issuer.
 *
 * @module
 */

import { keepNothing, type TokenFormat } from './format.ts';
import { LUHN_FAILING } from './pan.ts';
import { drawFailingLuhn, failsLuhn, randomDigits, randomNumbers } from './random-digits.ts';

const SHAPE = /^(9[0-9]{2})-([0-9]{2})-[0-9]{4}$/;

function numbersBetween(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

export const SSN_AREAS: readonly number[] = numbersBetween(900, 999).filter((area) => area !== 979);
export const SSN_GROUPS: readonly number[] = [...numbersBetween(1, 49), ...numbersBetween(66, 69), 89];

export const ssnFormat: TokenFormat = {
  name: 'ssn',
  grammar: 'a social security number, with hyphens, of an area and group that are never given out',
  fieldClass: 'ssn',
  isCertain: false,
  canBeToldApart: true,
  keptOf: keepNothing,
  possibilities: () => Math.round(SSN_AREAS.length * SSN_GROUPS.length * 10 ** 4 * LUHN_FAILING),
  recognizes: isSsnToken,
  mint: (_kept, { randomBytes }) =>
    drawFailingLuhn(() => `${areaAndGroup(randomBytes)}-${randomDigits(4, randomBytes)}`),
};

export function isSsnToken(text: string): boolean {
  const [, area, group] = SHAPE.exec(text) ?? [];
  return SSN_AREAS.includes(Number(area)) && SSN_GROUPS.includes(Number(group)) && failsLuhn(text);
}

export function areaAndGroup(randomBytes: (count: number) => Uint8Array): string {
  const [area = 0] = randomNumbers(1, SSN_AREAS.length, randomBytes);
  const [group = 0] = randomNumbers(1, SSN_GROUPS.length, randomBytes);
  return `${SSN_AREAS[area]}-${String(SSN_GROUPS[group]).padStart(2, '0')}`;
}
