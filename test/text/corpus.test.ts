import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { FINDING_CLASSES, type FindingClass } from '../../sidecar/tokenizer/core/text/finding.ts';
import { detectionPorts } from '../../sidecar/tokenizer/adapters/detection/detection-ports.ts';
import { createFinder } from '../../sidecar/tokenizer/core/text/finder.ts';
import { CORPUS_FILE, readCorpus } from './corpus.ts';
import { makeCorpus } from './make-corpus.ts';
import { measure, scoreTable, type Measured } from './measure.ts';

/** A little below what was measured. Names, addresses and dates are found by the name of their field alone: docs/text.md. */
const FLOORS: Readonly<Record<FindingClass, readonly [precision: number, recall: number]>> = {
  pan: [0.97, 0.97],
  iban: [0.98, 0.96],
  ssn: [0.97, 0.93],
  email: [0.96, 0.94],
  ip: [0.95, 0.96],
  phone: [0.97, 0.93],
  cvv: [0.98, 0.9],
  expiry: [0.98, 0.58],
  name: [0.92, 0.62],
  address: [0.84, 0.48],
};

let measured: Measured;
beforeAll(async () => {
  measured = await measure();
});

describe('the labelled corpus', () => {
  it('has 500 lines and more, of which a fifth hold nothing', () => {
    const lines = readCorpus();
    expect(lines.length).toBeGreaterThan(500);
    expect(lines.filter(({ labels }) => labels.length === 0).length).toBeGreaterThan(lines.length / 5);
  });

  it('is what its generator makes', () => {
    expect(readFileSync(CORPUS_FILE, 'utf8')).toBe(makeCorpus());
  });

  it('holds no card number in its file', async () => {
    const lines = readFileSync(CORPUS_FILE, 'utf8').split('\n');
    const find = createFinder({ classes: new Set(['pan']) }, detectionPorts);
    const found = await Promise.all(lines.map((line) => find(line)));
    expect(found.flat()).toEqual([]);
  });

  it('is the one that docs/text.md tells the figures of', () => {
    expect(readFileSync(`${import.meta.dirname}/../../docs/text.md`, 'utf8')).toContain(scoreTable(measured));
  });
});

describe('detection on the labelled corpus', () => {
  it.each(FINDING_CLASSES)('of class %s reaches the precision and recall that are promised', (name) => {
    const { precision, recall, labelled } = measured.scores[name];
    const [leastPrecision, leastRecall] = FLOORS[name];
    expect(labelled).toBeGreaterThan(10);
    expect(precision).toBeGreaterThanOrEqual(leastPrecision);
    expect(recall).toBeGreaterThanOrEqual(leastRecall);
  });
});
