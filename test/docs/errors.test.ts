import { describe, expect, it } from '@jest/globals';
import { rowsOf, sourceFiles, textOf } from '../support/documents.ts';

const ROWS = rowsOf(textOf('docs/errors.md'));

/** Not those of fastify, which end in the same way. */
const CODE = /(?<![A-Z_])ERR_[A-Z][A-Z0-9_]*/g;

const IN_CODE = new Set(
  sourceFiles()
    .filter((file) => /\.(?:ts|mjs|py)$/.test(file))
    .flatMap((file) => textOf(file).match(CODE) ?? []),
);

describe('the table of errors', () => {
  it('has every code of the sources, and no other', () => {
    expect(IN_CODE.size).toBeGreaterThan(50);
    expect(ROWS.map(({ name }) => name).toSorted()).toEqual([...IN_CODE].toSorted());
  });

  it('says of each what it means and what to do', () => {
    const wanting = ROWS.filter(({ cells }) => cells.length !== 2 || cells.includes(''));
    expect(wanting.map(({ name }) => name)).toEqual([]);
  });
});
