import type { Finding } from './finding.ts';
import type { IbanRules } from './ports.ts';
import type { Searched } from './surroundings.ts';

/** The country and the check digits (ISO 13616-1). */
const HEAD = /(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}/g;

/** IBANs whose country has such a length, and whose check digits hold; with single spaces, hyphens or dots, or none. */
export function findIbans({ text }: Searched, rules: IbanRules): Finding[] {
  return [...text.matchAll(HEAD)].flatMap(({ 0: head, index: start }) => {
    const length = rules.lengthOf(head.slice(0, 2).toUpperCase());
    if (length === undefined) return [];
    const read = readAlphanumerics(text, start, length);
    if (read === undefined || !rules.isValid(read.value)) return [];
    return [{ class: 'iban' as const, start, end: read.end, confidence: 0.95, value: read.value }];
  });
}

/** Exactly so many letters and digits from `start`, after which none may follow. */
function readAlphanumerics(
  text: string,
  start: number,
  length: number,
): { value: string; end: number } | undefined {
  let value = '';
  let place = start;
  while (value.length < length) {
    const character = text.charAt(place);
    if (/[A-Za-z0-9]/.test(character)) value += character.toUpperCase();
    else if (!/[ .-]/.test(character) || !/[A-Za-z0-9]/.test(text.charAt(place - 1))) return undefined;
    place += 1;
  }
  return /[A-Za-z0-9]/.test(text.charAt(place)) ? undefined : { value, end: place };
}
