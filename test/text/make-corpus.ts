/**
 * Makes test/text/corpus.jsonl: `npm exec -c 'node test/text/make-corpus.ts'`.
 *
 * Names, addresses and numbers are made up; addresses of machines and mailboxes
 * are those that standards keep for examples (RFC 2606, RFC 5737, RFC 3849), phone
 * numbers mostly those that regulators keep for fiction.
 *
 * @module
 */

import { writeFileSync } from 'node:fs';
import { CORPUS_FILE, type CorpusEntry } from './corpus.ts';
import { hardLines } from './made/hard.ts';
import { mixedLines } from './made/mixed.ts';
import { negativeLines } from './made/negatives.ts';
import { positiveLines } from './made/positives.ts';
import { seeded } from './seeded.ts';

const SEED = 20_260_301;

export function makeCorpus(): string {
  const choose = seeded(SEED);
  const entries: CorpusEntry[] = [
    ...positiveLines(choose),
    ...mixedLines(choose),
    ...negativeLines(choose),
    ...hardLines(choose),
  ];
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
}

if (import.meta.main) writeFileSync(CORPUS_FILE, makeCorpus());
