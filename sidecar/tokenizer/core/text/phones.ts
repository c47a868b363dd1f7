import { TokenmeshError } from '../../../../errors/error.ts';
import { LEAST_CONFIDENCE, type Finding } from './finding.ts';
import { checkFindingCount } from './limits.ts';
import type { DetectionPorts, FoundPhone } from './ports.ts';
import { saysBefore, TRADE_WORDS, type Searched } from './surroundings.ts';

/** What a phone number may be made of, from its first sign on, with its extension. */
const RUN = /[+(\d][\d ()./+-]{5,}(?:[ ,;]*(?:ext?\.?|x|#)[ .:]{0,2}\d{1,7})?/gi;

/** No number is longer. A longer run is a row of numbers, in which only a plus sign tells where one starts. */
const LONGEST = 48;

/** What stands beside a number tells that it is the date of a time, a price, a part of a word. */
const AROUND = 4;

/** Each costs a fraction of a millisecond: more would outlast the request's time in the mesh. */
export const MAX_READINGS = 5_000;

/** Readings after which other requests get their turn. */
const READINGS_PER_TURN = 20;

/** What may still be read for one request; it goes down. */
export interface ReadingBudget {
  left: number;
}

const PHONE_WORDS =
  /phone|\btel\b|tel[.:]|\bcall|mobile?\b|\bcell|\bfax|whatsapp|\bsms\b|\btext\b|contact|telefon|t[ée]l[ée]phone|tel[ée]fono|telefone|handy|appel|rufen|llam|тел|звон|电话|電話|手机|전화|携帯/i;

/**
 * Phone numbers by the numbering plans of the world.
 *
 * One with neither a plus sign nor a sign between its digits could be anything, and needs a word before it.
 *
 * @throws {TokenmeshError} `ERR_TOO_MANY_FINDINGS` once the budget is spent.
 */
export async function findPhones(
  searched: Searched,
  country: string | undefined,
  { phoneNumbers, pause }: Pick<DetectionPorts, 'phoneNumbers' | 'pause'>,
  budget: ReadingBudget,
): Promise<Finding[]> {
  const { text } = searched;
  const findings: Finding[] = [];
  for (const { start, end } of piecesOf(searched, country)) {
    budget.left -= 1;
    if (budget.left < 0) throw tooManyReadings();
    if (budget.left % READINGS_PER_TURN === 0) await pause();
    const from = Math.max(0, start - AROUND);
    for (const found of phoneNumbers.findIn(text.slice(from, end + AROUND), country)) {
      const finding = findingOf(searched, { ...found, start: from + found.start, end: from + found.end });
      if (finding !== undefined && finding.start >= (findings.at(-1)?.end ?? 0)) findings.push(finding);
    }
    checkFindingCount(findings.length, 'values');
  }
  return findings;
}

function* piecesOf(
  searched: Searched,
  country: string | undefined,
): Generator<{ readonly start: number; readonly end: number }> {
  for (const { 0: run, index } of searched.text.matchAll(RUN)) {
    for (const { start, piece } of run.length > LONGEST ? afterPluses(run) : [{ start: 0, piece: run }]) {
      const place = { start: index + start, end: index + start + piece.length };
      if (isWorthReading(searched, place.start, piece, country)) yield place;
    }
  }
}

function afterPluses(run: string): { start: number; piece: string }[] {
  return [...run.matchAll(/\(?\+[^+]{6,}/g)].map(({ 0: piece, index: start }) => ({
    start,
    piece: piece.slice(0, LONGEST),
  }));
}

/** Bare digits, and digits around one point, are told from other numbers only by a word. A date is none, with its hour or without. */
function isWorthReading(
  searched: Searched,
  start: number,
  piece: string,
  country: string | undefined,
): boolean {
  if (piece.replaceAll(/\D/g, '').length < 7) return false;
  if (piece.includes('+')) return true;
  if (country === undefined || /^\d{4}-\d\d-\d\d(?: \d\d)?$/.test(piece)) return false;
  return !/^\d+(?:\.\d+)?[ .-]*$/.test(piece) || saysBefore(searched, start, PHONE_WORDS);
}

function tooManyReadings(): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_TOO_MANY_FINDINGS',
    message: `the text holds too many numbers that could be of phones: expected at most ${MAX_READINGS}, got more`,
    remedy: 'send it in parts, or leave phone out of the classes; nothing of it was done',
  });
}

function findingOf(searched: Searched, found: FoundPhone): Finding | undefined {
  const { start, end, number: value } = found;
  const written = searched.text.slice(start, end);
  const confidence = confidenceOf(searched, start, written);
  return confidence < LEAST_CONFIDENCE ? undefined : { class: 'phone', start, end, confidence, value };
}

function confidenceOf(searched: Searched, start: number, written: string): number {
  if (saysBefore(searched, start, PHONE_WORDS)) return 0.9;
  if (written.includes('+')) return 0.85;
  const base = /^\d+$/.test(written) ? 0.3 : 0.7;
  return saysBefore(searched, start, TRADE_WORDS) ? base - 0.3 : base;
}
