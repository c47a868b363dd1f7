/**
 * What became of the records of a part: a line of JSON for each, in order, with tokens and no values.
 *
 * @module
 */

import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { TokenmeshError } from '../errors/error.ts';

const ResultLine = Type.Union([
  Type.Object({ row: Type.Integer({ minimum: 1 }), token: Type.String({ minLength: 1 }) }),
  Type.Object({ row: Type.Integer({ minimum: 1 }), code: Type.String(), remedy: Type.String() }),
]);
/** `row` is the record's place in its load, from 1 on. */
export type ResultLine = Static<typeof ResultLine>;

export function linesToText(lines: readonly ResultLine[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** @throws {TokenmeshError} `ERR_RESULTS_UNREADABLE` */
export function linesFromText(text: string): ResultLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const found = parse(line);
      if (Value.Check(ResultLine, found)) return found;
      throw new TokenmeshError({
        code: 'ERR_RESULTS_UNREADABLE',
        message:
          'the results of a part are not readable: expected a row with its token in each line, got another',
        remedy: 'see who else may write into the bucket of the results',
      });
    });
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
