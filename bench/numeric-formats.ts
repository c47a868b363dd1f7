import type { FormatName, Kept } from '../sidecar/tokenizer/core/formats/format.ts';
import { TOKEN_FORMATS } from '../sidecar/tokenizer/core/formats/registry.ts';
import { SSN_AREAS, SSN_GROUPS } from '../sidecar/tokenizer/core/formats/ssn.ts';
import type { FreePart, NumericFormatCase } from './digit-statistics.ts';

const DIGITS = Array.from('0123456789');
const AREA: FreePart = { name: 'area', at: 0, length: 3, values: SSN_AREAS.map(String) };
const GROUP: FreePart = {
  name: 'group',
  at: 4,
  length: 2,
  values: SSN_GROUPS.map((group) => String(group).padStart(2, '0')),
};

/** Every format made of digits with a million possibilities or more, and what is free in each. */
export const NUMERIC_FORMATS: readonly NumericFormatCase[] = [
  numeric('pan', { length: 16, lastFour: '1111' }, digitsBetween(1, 11)),
  numeric('pan-random', { length: 16 }, digitsBetween(1, 15)),
  numeric('phone', {}, digitsBetween(4, 15)),
  numeric('ssn', {}, [AREA, GROUP, ...digitsBetween(7, 10)]),
];

/** The one that is smaller: every token of it can be made. */
export const SMALL_FORMAT = numeric('ssn-last-four', { lastFour: '1120' }, [AREA, GROUP]);

function numeric(name: FormatName, kept: Kept, freeParts: readonly FreePart[]): NumericFormatCase {
  return { format: TOKEN_FORMATS[name], kept, freeParts };
}

function digitsBetween(first: number, last: number): FreePart[] {
  return Array.from({ length: last - first + 1 }, (_, index) => ({
    name: `character ${first + index + 1}`,
    at: first + index,
    length: 1,
    values: DIGITS,
  }));
}
