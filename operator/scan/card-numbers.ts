/**
 * Finds card numbers in text: Luhn check and issuer range, with no service and no key at hand.
 *
 * A card number is 12 to 19 digits, in one piece, or in groups of 2 to 11 digits
 * (the last may have one) with one space or one hyphen between them, or in the
 * 6 and 13 of UnionPay. Tokens of ours and UUIDs are no findings.
 *
 * @module
 */

import creditCardType from 'credit-card-type';
import { passesLuhn } from '../../sidecar/tokenizer/core/pan.ts';
import { isToken } from '../../sidecar/tokenizer/core/token.ts';

export interface FoundCard {
  /** Where it starts and ends in the text. */
  readonly start: number;
  readonly end: number;
  /** As the scheme writes itself. */
  readonly scheme: string;
  readonly digits: number;
  readonly lastFour: string;
}

/** Nothing that is looked at is longer: 19 digits with separators, or the longest token. */
export const LONGEST_LOOK = 64;

const SHORTEST = 12;
const LONGEST = 19;

/** Texts whose digits belong together, and are no card's. */
const TOGETHER =
  /(?<![0-9a-f])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-f])|(?<![0-9]|[0-9]-)[0-9]{3}-[0-9]{2}-[0-9]{4}(?![0-9]|-[0-9])/gi;
const UUID_LENGTH = 36;

const RUN = /[0-9]+(?:[ -][0-9]+)*/g;

interface Group {
  readonly start: number;
  readonly digits: string;
}

/**
 * Every card number of `text`, from the first to the last; none overlaps another.
 *
 * @param from - Digits that start before it start no card number. They still tell whether those after
 *   it do: they may be the beginning of a UUID.
 */
export function findCardNumbers(text: string, from = 0): FoundCard[] {
  const looked = text.replaceAll(TOGETHER, (found) =>
    found.length === UUID_LENGTH || isToken(found) !== undefined ? '_'.repeat(found.length) : found,
  );
  return [...looked.matchAll(RUN)].flatMap((run) =>
    cardsIn(groupsOf(run[0], run.index).filter(({ start }) => start >= from)),
  );
}

/** @returns The scheme whose issuer range the digits are in, for a number of a card's length that passes Luhn. */
export function schemeOf(digits: string): string | undefined {
  if (digits.length < SHORTEST || digits.length > LONGEST || !passesLuhn(digits)) return undefined;
  return creditCardType(digits)[0]?.niceType;
}

function groupsOf(run: string, start: number): Group[] {
  return [...run.matchAll(/[0-9]+/g)].map((group) => ({ start: start + group.index, digits: group[0] }));
}

function cardsIn(groups: readonly Group[]): FoundCard[] {
  const found: FoundCard[] = [];
  for (let at = 0; at < groups.length;) {
    const [card, length] = cardAt(groups, at);
    if (card !== undefined) found.push(card);
    at += length;
  }
  return found;
}

/** The longest card number that starts with this group, and how many groups it takes. */
function cardAt(groups: readonly Group[], at: number): [card: FoundCard | undefined, groups: number] {
  let best: [FoundCard | undefined, number] = [undefined, 1];
  let digits = '';
  for (const [index, group] of groups.slice(at, at + LONGEST).entries()) {
    if (index > 0 && standsAlone(group) && !isUnionPays(digits, index, group)) break;
    digits += group.digits;
    if (digits.length > LONGEST) break;
    const scheme = schemeOf(digits);
    const first = groups[at];
    if (scheme !== undefined && first !== undefined)
      best = [foundCard(first, group, digits, scheme), index + 1];
    if (standsAlone(group) || group.digits.length === 1) break;
  }
  return best;
}

/** So many digits are a number of their own, not a part of the one before: a list of card numbers is no long number. */
function standsAlone({ digits }: Group): boolean {
  return digits.length >= SHORTEST;
}

/** Six digits, then thirteen that are no card number for themselves. */
function isUnionPays(before: string, groups: number, { digits }: Group): boolean {
  return groups === 1 && before.length === 6 && digits.length === 13 && schemeOf(digits) === undefined;
}

function foundCard(first: Group, last: Group, digits: string, scheme: string): FoundCard {
  return {
    start: first.start,
    end: last.start + last.digits.length,
    scheme,
    digits: digits.length,
    lastFour: digits.slice(-4),
  };
}
