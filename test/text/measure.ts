/**
 * How much of the corpus is found, and how much of what is found is right:
 * `npm exec -c 'node test/text/measure.ts'` prints the table of docs/text.md.
 *
 * @module
 */

import { detectionPorts } from '../../sidecar/tokenizer/adapters/detection/detection-ports.ts';
import { createFinder } from '../../sidecar/tokenizer/core/text/finder.ts';
import { FINDING_CLASSES, type FindingClass } from '../../sidecar/tokenizer/core/text/finding.ts';
import { readCorpus, type CorpusLine, type Label } from './corpus.ts';

export interface Score {
  readonly labelled: number;
  readonly found: number;
  readonly right: number;
  readonly precision: number;
  readonly recall: number;
}

export interface Measured {
  readonly scores: Readonly<Record<FindingClass, Score>>;
  /** A line for each thing that was missed or wrong: its class and what the line is about. */
  readonly faults: readonly string[];
}

/** A finding is right only where its class and both of its ends are. */
export async function measure(lines: readonly CorpusLine[] = readCorpus()): Promise<Measured> {
  const counts = Object.fromEntries(
    FINDING_CLASSES.map((name) => [name, { labelled: 0, found: 0, right: 0 }]),
  );
  const count = (name: FindingClass, what: 'labelled' | 'found' | 'right'): void => {
    const of = counts[name];
    if (of !== undefined) of[what] += 1;
  };
  const faults: string[] = [];
  for (const line of lines) {
    const find = createFinder({ classes: new Set(FINDING_CLASSES), country: line.country }, detectionPorts);
    const found = await find(line.text);
    for (const label of line.labels) {
      count(label.class, 'labelled');
      if (found.some((each) => isSame(each, label))) count(label.class, 'right');
      else faults.push(`missed ${label.class}: ${line.about}`);
    }
    for (const each of found) {
      count(each.class, 'found');
      if (!line.labels.some((label) => isSame(each, label)))
        faults.push(`wrong ${each.class}: ${line.about}`);
    }
  }
  const scores = Object.fromEntries(Object.entries(counts).map(([name, each]) => [name, scoreOf(each)]));
  return { scores: scores as Measured['scores'], faults };
}

function isSame(one: Label, other: Label): boolean {
  return one.class === other.class && one.start === other.start && one.end === other.end;
}

function scoreOf(counts: { labelled: number; found: number; right: number }): Score {
  const { labelled, found, right } = counts;
  return {
    ...counts,
    precision: found === 0 ? 1 : right / found,
    recall: labelled === 0 ? 1 : right / labelled,
  };
}

export function scoreTable({ scores }: Measured): string {
  const rows = Object.entries(scores).map(
    ([name, { labelled, found, right, precision, recall }]) =>
      `| ${name} | ${labelled} | ${found} | ${right} | ${precision.toFixed(3)} | ${recall.toFixed(3)} |`,
  );
  return [
    '| class | labelled | found | right | precision | recall |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

if (import.meta.main) {
  const measured = await measure();
  const summary = measured.faults.reduce(
    (counts, fault) => counts.set(fault, (counts.get(fault) ?? 0) + 1),
    new Map<string, number>(),
  );
  const faults = [...summary].map(([fault, count]) => `${count} x ${fault}`);
  process.stdout.write(`${scoreTable(measured)}\n\n${faults.join('\n')}\n`);
}
