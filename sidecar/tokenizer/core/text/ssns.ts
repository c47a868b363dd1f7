import type { Finding } from './finding.ts';
import { saysBefore, TRADE_WORDS, type Searched } from './surroundings.ts';

/** Area, group and serial number; 000, 666 and 900 to 999 are no areas (SSA, POMS RM 10201.035). */
const SHAPE = /(?<![\w.+-])(?!000|666|9)(\d{3})([- ]?)(?!00)(\d{2})\2(?!0000)(\d{4})(?![\w+]|[.-]\d)/g;

const WORDS = /\bssns?\b|social[ -]?security|\btax(?:payer)? id|\btin\b|\bitin\b/i;

/** US social security numbers. Without hyphens they are numbers like any other, and need a word before them. */
export function findSsns(searched: Searched): Finding[] {
  return [...searched.text.matchAll(SHAPE)].flatMap((match) => {
    const [written = '', area = '', separator = '', group = '', serial = ''] = match;
    const isNamed = saysBefore(searched, match.index, WORDS);
    const isOther = !isNamed && saysBefore(searched, match.index, TRADE_WORDS);
    const confidence = isNamed ? 0.95 : separator === '-' && !isOther ? 0.8 : 0;
    if (confidence === 0) return [];
    const start = match.index;
    const value = `${area}-${group}-${serial}`;
    return [{ class: 'ssn' as const, start, end: start + written.length, confidence, value }];
  });
}
