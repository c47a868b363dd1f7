import type { TokenFormat } from './format.ts';
import { drawFailingLuhn, failsLuhn } from './random-digits.ts';
import { areaAndGroup, isSsnToken, SSN_AREAS, SSN_GROUPS } from './ssn.ts';

/**
 * As the format `ssn`, with the last four digits of the number.
 *
 * There are fewer than 5,000 tokens for each last four, and a tenant has no
 * more records of one last four than that: it has to be asked for and permitted.
 */
export const ssnLastFourFormat: TokenFormat = {
  name: 'ssn-last-four',
  grammar:
    'a social security number, with hyphens, of an area and group that are never given out, ending in the last four digits of the value',
  fieldClass: 'ssn',
  isCertain: false,
  canBeToldApart: true,
  keptOf: (value) => ({ lastFour: value.slice(-4) }),
  possibilities: ({ lastFour = '0000' }) => countWith(lastFour),
  recognizes: isSsnToken,
  mint: ({ lastFour = '' }, { randomBytes }) =>
    drawFailingLuhn(() => `${areaAndGroup(randomBytes)}-${lastFour}`),
};

const counts = new Map<string, number>();

/** Counted and not estimated: it depends on the digits how many fail the Luhn check. */
function countWith(lastFour: string): number {
  const known = counts.get(lastFour);
  if (known !== undefined) return known;
  const bodies = SSN_AREAS.flatMap((area) =>
    SSN_GROUPS.map((group) => `${area}${String(group).padStart(2, '0')}`),
  );
  const count = bodies.filter((body) => failsLuhn(body + lastFour)).length;
  counts.set(lastFour, count);
  return count;
}
