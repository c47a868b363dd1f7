import type { Finding } from './finding.ts';
import type { Searched } from './surroundings.ts';

/** RFC 5321 section 4.5.3.1. */
const LOCAL_PART = 64;
const DOMAIN = 255;

/** Also as it stands in a URL. */
const AT = /@|%40/g;

/**
 * E-mail addresses around each at sign, letters of any script included.
 *
 * The user of a URL (`https://user@host`), of a copy over SSH (`git@host:path`)
 * and the density of a picture (`icon@2x.png`) are not addresses.
 */
export function findEmails({ text }: Searched): Finding[] {
  return [...text.matchAll(AT)].flatMap(({ 0: sign, index }) => {
    const start = index - localLength(text.slice(Math.max(0, index - LOCAL_PART), index));
    const domain = domainAt(text.slice(index + sign.length, index + sign.length + DOMAIN));
    const local = text.slice(start, index);
    const end = index + sign.length + domain.length;
    if (local === '' || domain === '' || isSomethingElse(text, start, end, domain)) return [];
    return [{ class: 'email' as const, start, end, confidence: 0.95, value: `${local}@${domain}` }];
  });
}

/** Scripts that put no space between words: a Latin address may stand right beside them. */
const GLUED_BEFORE =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]+(?=[A-Za-z0-9])/u;
const GLUED_AFTER =
  /(?<=[A-Za-z0-9])[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}].*$/su;

/** How much of what stands before the at sign is the local part: no dot at its start, at its end or beside another. */
function localLength(before: string): number {
  let place = before.length;
  while (place > 0 && /[\p{L}\p{M}\p{N}._'+-]/u.test(before.charAt(place - 1))) place -= 1;
  const run = before.slice(place);
  if (run.endsWith('.')) return 0;
  const afterDots = run.slice(run.includes('..') ? run.lastIndexOf('..') + 2 : 0);
  return afterDots.replace(/^[.'-]+/, '').replace(GLUED_BEFORE, '').length;
}

/** Labels between dots, of which the last is no number. A full stop or a dash after it belongs to the sentence. */
function domainAt(following: string): string {
  const after = following.replace(GLUED_AFTER, '');
  let place = 0;
  while (place < after.length && /[\p{L}\p{M}\p{N}.-]/u.test(after.charAt(place))) place += 1;
  const labels: string[] = [];
  for (const label of after.slice(0, place).split('.')) {
    if (!isLabel(label)) {
      const trimmed = label.replace(/-+$/, '');
      if (isLabel(trimmed)) labels.push(trimmed);
      break;
    }
    labels.push(label);
  }
  while (labels.length > 1 && !/^(?:\p{L}[\p{L}\p{M}]+|xn--[a-z0-9-]+)$/iu.test(labels.at(-1) ?? ''))
    labels.pop();
  return labels.length > 1 ? labels.join('.') : '';
}

function isLabel(label: string): boolean {
  return label.length <= 63 && label !== '' && !label.startsWith('-') && !label.endsWith('-');
}

function isSomethingElse(text: string, start: number, end: number, domain: string): boolean {
  const before = text.slice(Math.max(0, start - 64), start);
  return (
    /\/\/(?:[^\s/@:]*:)?$/.test(before) ||
    /^:[/~\w]*\//.test(text.slice(end, end + 64)) ||
    /^[1-4]x\./.test(domain)
  );
}
