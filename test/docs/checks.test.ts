import { describe, expect, it } from '@jest/globals';
import { CHECK_IDS, documentOf } from '../../operator/checks/catalogue.ts';
import { anchorsOf, rowsOf, textOf } from '../support/documents.ts';

const PAGE = textOf('docs/checks.md');

const ROWS = rowsOf(PAGE).filter(({ name }) => /^[a-z]+\.[a-z]/.test(name));

const ANCHORS = anchorsOf('docs/checks.md');

describe('the table of checks', () => {
  it('has every check, and no other', () => {
    expect(ROWS.map(({ name }) => name).toSorted()).toEqual([...CHECK_IDS].toSorted());
  });

  it('is where the results of each check lead to', () => {
    const led = CHECK_IDS.map((id) => documentOf(id).replace('docs/checks.md#', ''));
    expect(led.filter((anchor) => !ANCHORS.includes(anchor))).toEqual([]);
  });

  it('says of each what to do when it does not hold', () => {
    expect(
      ROWS.filter(({ cells }) => cells.length < 2 || cells.includes('')).map(({ name }) => name),
    ).toEqual([]);
  });
});
