import { passesLuhn } from '../pan.ts';
import { keepDisjoint, LEAST_CONFIDENCE, type Finding } from './finding.ts';
import type { CardRanges } from './ports.ts';
import { saysBefore, TRADE_WORDS, type Searched } from './surroundings.ts';

const SHORTEST = 12;
const LONGEST = 19;

/** Digits with short separators between them. What separates and what is separated share no character, so this is linear. */
const RUN = /\d+(?:[ .+-]{1,3}\d+)*/g;

const CARD_WORDS =
  /card|\bpan\b|\bcc\b|visa|master|amex|american express|discover|maestro|diners|jcb|unionpay|karte|carte|tarjeta|cart[aã]o|carta|kort|kaart|карт|カード|卡|카드/i;

/** How cards are printed, besides four by four: American Express, Diners Club, the old Visa, halves. */
const PRINTED = ['4,6,5', '4,6,4', '4,3,3,3', '8,8'];

interface Group {
  readonly start: number;
  readonly end: number;
  readonly digits: string;
  /** What stands between this group and the one before: its sign, or a space. */
  readonly separator: string;
}

/**
 * Card numbers: 12 to 19 digits that pass the Luhn check and lie in an issuer range.
 *
 * Numbers of other kinds pass both by chance (one in ten passes Luhn), so shape
 * and words count too: a number that a range claims only loosely, or that is
 * cut where no card is, needs a word such as "card" before it.
 */
export function findPans(searched: Searched, ranges: CardRanges): Finding[] {
  return [...searched.text.matchAll(RUN)].flatMap((match) => {
    if (match[0].length < SHORTEST) return [];
    const groups = groupsOf(match[0], match.index);
    const candidates = startsOf(groups).flatMap((first) => candidatesFrom(searched, groups, first, ranges));
    return keepDisjoint(
      candidates,
      (one, other) => other.confidence - one.confidence || one.start - other.start,
    );
  });
}

function groupsOf(run: string, offset: number): Group[] {
  let end = 0;
  return [...run.matchAll(/\d+/g)].map(({ 0: digits, index }) => {
    const separator = run.slice(end, index).trim().slice(0, 1) || ' ';
    end = index + digits.length;
    return { start: offset + index, end: offset + end, digits, separator };
  });
}

/** Where a card number may start: at its first four or eight digits, at all of them, or at the whole of a short run. */
function startsOf(groups: readonly Group[]): number[] {
  return groups.flatMap(({ digits: { length } }, first) =>
    length === 4 || length === 8 || length >= SHORTEST || (first === 0 && groups.length <= LONGEST)
      ? [first]
      : [],
  );
}

function candidatesFrom(
  searched: Searched,
  groups: readonly Group[],
  first: number,
  ranges: CardRanges,
): Finding[] {
  const found: Finding[] = [];
  let digits = '';
  const lengths: number[] = [];
  for (let last = first; last < groups.length; last += 1) {
    const group = groups[last];
    if (group === undefined) break;
    digits += group.digits;
    lengths.push(group.digits.length);
    if (digits.length > LONGEST || !isUniform(groups, first, last)) break;
    if (digits.length < SHORTEST) continue;
    const shape = shapeOf(groups, first, last, lengths);
    const confidence =
      shape === 'broken' ? 0 : confidenceOf(searched, groups, first, last, shape, digits, ranges);
    if (confidence < LEAST_CONFIDENCE) continue;
    found.push({ class: 'pan', start: groups[first]?.start ?? 0, end: group.end, confidence, value: digits });
  }
  return found;
}

function isUniform(groups: readonly Group[], first: number, last: number): boolean {
  return last === first || groups[last]?.separator === groups[first + 1]?.separator;
}

type Shape = 'solid' | 'printed' | 'irregular' | 'broken';

/** Only a space may part a card number from other numbers; other signs hold together what they join. */
function shapeOf(groups: readonly Group[], first: number, last: number, lengths: readonly number[]): Shape {
  const isWhole = first === 0 && last === groups.length - 1;
  const neighbours = [first > 0 ? groups[first]?.separator : ' ', groups[last + 1]?.separator ?? ' '];
  if (first === last) return neighbours.includes('.') || neighbours.includes('+') ? 'broken' : 'solid';
  if (!isWhole && neighbours.some((separator) => separator !== ' ')) return 'broken';
  if (isPrinted(lengths)) return 'printed';
  return isWhole ? 'irregular' : 'broken';
}

function isPrinted(lengths: readonly number[]): boolean {
  const isFourByFour =
    lengths.length > 2 &&
    lengths.every((length, index) => length === 4 || (index === lengths.length - 1 && length < 4));
  return isFourByFour || PRINTED.includes(lengths.join(','));
}

const SHAPE_WEIGHT = { solid: 0, printed: 0.1, irregular: -0.4 } as const;

function confidenceOf(
  searched: Searched,
  groups: readonly Group[],
  first: number,
  last: number,
  shape: Exclude<Shape, 'broken'>,
  digits: string,
  ranges: CardRanges,
): number {
  const start = groups[first]?.start ?? 0;
  if (!isApart(searched.text, start, groups[last]?.end ?? 0) || !passesLuhn(digits)) return 0;
  const claim = ranges.claimOf(digits);
  if (claim === 'none') return 0;
  const isUsual = digits.length === 15 || digits.length === 16;
  const base = claim === 'loose' ? 0.35 : isUsual ? 0.8 : 0.6;
  const word = saysBefore(searched, start, CARD_WORDS)
    ? 0.35
    : saysBefore(searched, start, TRADE_WORDS)
      ? -0.2
      : 0;
  return Math.min(base + SHAPE_WEIGHT[shape] + word, 0.99);
}

/** Not a part of a word, a longer number or one with a country code. Letters of scripts without spaces may touch it. */
function isApart(text: string, start: number, end: number): boolean {
  return !/[A-Za-z0-9+]/.test(text.charAt(start - 1)) && !/[A-Za-z0-9]/.test(text.charAt(end));
}
