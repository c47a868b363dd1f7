import { describe, expect, it } from '@jest/globals';
import { INTRUSIONS } from '../../operator/checks/refusals.ts';
import { rowsOf, sourceFiles, textOf } from '../support/documents.ts';

const ROWS = rowsOf(textOf('docs/checks.md'));

const SOURCES = sourceFiles().filter((file) => file.startsWith('operator/checks/'));

const ID = /'((?:mtls|refusals|certificates|revocation|policy|vault)\.[a-z0-9.-]+)'/g;

/** Those that stand in the sources as they are, and those that are made from a table. */
const IN_CODE = new Set([
  ...SOURCES.flatMap((file) => [...textOf(file).matchAll(ID)].map(([, id = '']) => id)),
  ...Object.keys(INTRUSIONS).map((intrusion) => `refusals.${intrusion}`),
]);

describe('the table of checks', () => {
  it('has every id of the sources, and no other', () => {
    expect(IN_CODE.size).toBeGreaterThan(10);
    expect(ROWS.map(({ name }) => name).toSorted()).toEqual([...IN_CODE].toSorted());
  });

  it('knows every way in which an id is made', () => {
    const made = SOURCES.flatMap((file) => textOf(file).match(/\bid: `[^`]*`/g) ?? []);
    expect(made).toEqual(['id: `refusals.${facts.intrusion}`']);
  });

  it('says of each what to do when it does not hold', () => {
    expect(
      ROWS.filter(({ cells }) => cells.length < 2 || cells.includes('')).map(({ name }) => name),
    ).toEqual([]);
  });
});
