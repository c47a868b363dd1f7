/**
 * The labelled corpus as it is read: placeholders filled in, labels as places in the text.
 *
 * The file holds no card number. `{{pan:visa-16}}` stands for the published test
 * number of that scheme and length, `{{made:visa-16:7}}` for the seventh one made
 * here with a correct check digit; `| ` or `|-` after it groups its digits.
 *
 * @module
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { testCard } from '../../sample-apps/test-cards.ts';
import { passesLuhn } from '../../sidecar/tokenizer/core/pan.ts';
import type { FindingClass } from '../../sidecar/tokenizer/core/text/finding.ts';
import { seeded } from './seeded.ts';

export const CORPUS_FILE = join(import.meta.dirname, 'corpus.jsonl');

/** What stands in the file: a text in parts, those with a class being what is to be found. */
export interface CorpusEntry {
  readonly about: string;
  readonly country?: string;
  readonly parts: readonly (string | readonly [FindingClass, string])[];
}

export interface Label {
  readonly class: FindingClass;
  readonly start: number;
  readonly end: number;
}

export interface CorpusLine {
  readonly about: string;
  readonly country?: string;
  readonly text: string;
  readonly labels: readonly Label[];
}

export function readCorpus(): CorpusLine[] {
  return readFileSync(CORPUS_FILE, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => lineOf(JSON.parse(line) as CorpusEntry));
}

function lineOf({ parts, ...rest }: CorpusEntry): CorpusLine {
  let text = '';
  const labels: Label[] = [];
  for (const part of parts) {
    const [name, written] = typeof part === 'string' ? [undefined, part] : part;
    const start = text.length;
    text += filledIn(written);
    if (name !== undefined) labels.push({ class: name, start, end: text.length });
  }
  return { ...rest, text, labels };
}

const PLACEHOLDER = /\{\{(pan|made):([a-z-]+)-(\d+)(?::(\d+))?(?:\|(.))?\}\}/gsu;

function filledIn(written: string): string {
  return written.replaceAll(
    PLACEHOLDER,
    (
      _,
      kind: string,
      scheme: string,
      length: string,
      index: string | undefined,
      separator: string | undefined,
    ) => {
      const digits = Number(length);
      const number =
        kind === 'pan' ? testCard(scheme, digits).number : madeNumber(scheme, digits, Number(index));
      return separator === undefined ? number : grouped(number).join(separator);
    },
  );
}

const BEGINNINGS: Readonly<Record<string, string>> = {
  visa: '4',
  mastercard: '52',
  'american-express': '37',
  discover: '6011',
  jcb: '3540',
};

function madeNumber(scheme: string, length: number, index: number): string {
  const beginning = BEGINNINGS[scheme];
  if (beginning === undefined) throw new RangeError(`no beginning for ${scheme}`);
  const body = beginning + seeded(1000 + index).digits(length - beginning.length - 1);
  const check = '0123456789'.split('').find((digit) => passesLuhn(body + digit));
  return body + (check ?? '');
}

function grouped(number: string): string[] {
  if (number.length === 15) return [number.slice(0, 4), number.slice(4, 10), number.slice(10)];
  if (number.length === 14) return [number.slice(0, 4), number.slice(4, 10), number.slice(10)];
  return number.match(/.{1,4}/g) ?? [];
}
