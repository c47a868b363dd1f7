import { plainText } from './characters.ts';
import { findEmails } from './emails.ts';
import { classOfFieldName, confidenceOfFieldName, valueOfClass } from './field-names.ts';
import { withoutOverlaps, type Finding, type FindingClass } from './finding.ts';
import { findIbans } from './ibans.ts';
import { findIps } from './ips.ts';
import { findLabelled } from './labelled.ts';
import { checkFindingCount, MAX_FINDINGS } from './limits.ts';
import { findPans } from './pans.ts';
import { findPhones, MAX_READINGS, type ReadingBudget } from './phones.ts';
import type { DetectionPorts } from './ports.ts';
import { findSsns } from './ssns.ts';
import type { Searched } from './surroundings.ts';
import { marksIn } from '../marks/mark.ts';
import { tokensIn } from './tokens-in-text.ts';

export interface FindOptions {
  readonly classes: ReadonlySet<FindingClass>;
  /** Two letters (ISO 3166-1), for phone numbers without a country code. */
  readonly country?: string | undefined;
}

/**
 * What of a text is personal or a card's, in its order and without overlaps.
 *
 * A token or a mark of ours is never taken for something else, nor is what it is part of.
 *
 * @param name - Of the JSON member that holds the text: it says what the text is, or what to expect in it.
 * @throws {TokenmeshError} `ERR_TOO_MANY_FINDINGS`, for all that one finder was asked together.
 */
export type Find = (text: string, name?: string) => Promise<Finding[]>;

/** Looks through the texts of one request: its limits are for all of them together. */
export function createFinder(options: FindOptions, ports: DetectionPorts): Find {
  const budget = { left: MAX_READINGS };
  let count = 0;
  return async (original, name) => {
    const whole = wholeValue(original, options.classes, name);
    if (whole === undefined && !/[@"=]|%40|\p{Nd}/u.test(original)) return [];
    const { text, placeOf } = plainText(original);
    const found = await candidatesIn({ text, lead: name ?? '' }, options, ports, budget);
    const placed = found.map((finding) => ({ ...finding, ...placeOf(finding.start, finding.end) }));
    const tokens = [...tokensIn(original), ...marksIn(original)];
    const findings = withoutOverlaps(whole === undefined ? placed : [...placed, whole]).filter(
      ({ start, end }) => !tokens.some((token) => token.start < end && start < token.end),
    );
    count += findings.length;
    checkFindingCount(count, 'values');
    return findings;
  };
}

async function candidatesIn(
  searched: Searched,
  { classes, country }: FindOptions,
  ports: DetectionPorts,
  budget: ReadingBudget,
): Promise<Finding[]> {
  const detectors: readonly (readonly [
    FindingClass,
    () => readonly Finding[] | Promise<readonly Finding[]>,
  ])[] = [
    ['email', () => findEmails(searched)],
    ['iban', () => findIbans(searched, ports.ibanRules)],
    ['pan', () => findPans(searched, ports.cardRanges)],
    ['ssn', () => findSsns(searched)],
    ['ip', () => findIps(searched)],
    ['phone', () => findPhones(searched, country, ports, budget)],
  ];
  let found = findLabelled(searched).filter((finding) => classes.has(finding.class));
  for (const [wanted, find] of detectors) {
    if (classes.has(wanted)) found = found.concat(await find());
    checkCandidates(found);
    if (searched.text.length > LONG_TEXT) await ports.pause();
  }
  return found;
}

/** Where there are so many that even without overlaps they are too many, the rest need not be looked for. */
function checkCandidates(found: readonly Finding[]): void {
  const longest = MAX_FINDINGS * CANDIDATES_PER_FINDING;
  checkFindingCount(found.length > longest ? found.length : 0, 'values');
}

/** From here on a single detector takes milliseconds. */
const LONG_TEXT = 32 * 1024;

/** One text is at most its member, its shape, and a part of each. */
const CANDIDATES_PER_FINDING = 4;

/** A text that is a value as a whole, by the name of its member: all of it but the space around it. */
function wholeValue(
  original: string,
  classes: ReadonlySet<FindingClass>,
  name: string | undefined,
): Finding | undefined {
  const found = name === undefined ? undefined : classOfFieldName(name);
  if (found === undefined || !classes.has(found)) return undefined;
  const start = original.length - original.trimStart().length;
  const written = original.trim();
  const value = valueOfClass(found, plainText(written).text);
  if (value === undefined || tokensIn(written).length > 0 || marksIn(written).length > 0) return undefined;
  return {
    class: found,
    start,
    end: start + written.length,
    confidence: confidenceOfFieldName(found),
    value,
  };
}
