/**
 * One spelling for characters that people and programs write in many: digits of
 * any script, full-width letters, the many spaces and dashes.
 *
 * Detectors see ASCII; what they find is told in places of the text as it was sent.
 *
 * @module
 */

export interface PlainText {
  readonly text: string;
  /** The place in the original of a span of {@link PlainText.text}. */
  readonly placeOf: (start: number, end: number) => { readonly start: number; readonly end: number };
}

export function plainText(original: string): PlainText {
  // oxlint-disable-next-line no-control-regex -- the range of ASCII starts at a control character.
  if (/^[\x00-\x7f]*$/.test(original)) {
    return { text: original, placeOf: (start, end) => ({ start, end }) };
  }
  const starts: number[] = [];
  const ends: number[] = [];
  const parts: string[] = [];
  let place = 0;
  for (const character of original) {
    const plain = plainCharacter(character);
    for (let unit = 0; unit < plain.length; unit += 1) {
      const isWhole = plain.length !== character.length;
      starts.push(isWhole ? place : place + unit);
      ends.push(isWhole ? place + character.length : place + unit + 1);
    }
    parts.push(plain);
    place += character.length;
  }
  return {
    text: parts.join(''),
    placeOf: (start, end) => ({ start: starts[start] ?? place, end: ends[end - 1] ?? place }),
  };
}

const FULL_WIDTH_OFFSET = 0xfee0;

function plainCharacter(character: string): string {
  if (character <= '\u007f') return character;
  if (/\p{Nd}/u.test(character)) return String(digitValue(character.codePointAt(0) ?? 0));
  if (/[\uff01-\uff5e]/.test(character)) {
    return String.fromCharCode(character.charCodeAt(0) - FULL_WIDTH_OFFSET);
  }
  if (/\p{Zs}/u.test(character)) return ' ';
  if (/[\p{Pd}\u2212]/u.test(character)) return '-';
  return INVISIBLE.test(character) ? '' : character;
}

/** Soft hyphen, zero-width characters, marks of direction: nobody sees them, and a card number may hold them. */
const INVISIBLE = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/;

/** The digits of a script stand in a row from zero to nine, and rows follow each other without a gap or with one (Unicode 4.6). */
function digitValue(codePoint: number): number {
  let first = codePoint;
  while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first -= 1;
  return (codePoint - first) % 10;
}
