import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { stringify } from 'csv-stringify';
import { TokenmeshError } from '../../../errors/error.ts';
import type { ResultStore } from '../../ports.ts';
import type { ResultLine } from '../../results.ts';
import type { Columns } from '../columns.ts';
import { csvRows } from './csv-file.ts';

export interface TokensFile {
  readonly file: string;
  readonly columns: Columns;
  readonly results: ResultStore;
  readonly load: string;
  readonly parts: number;
  readonly out: string;
}

export interface TokenCounts {
  readonly records: number;
  readonly refused: number;
}

/**
 * Writes the tokens of a load as CSV, a row for each row of the file and in its order: the kept columns, `row`,
 * `token`, and `error` where there is none. The file appears when it is whole.
 *
 * @throws {TokenmeshError} `ERR_RESULTS_UNREADABLE` where results and file do not fit each other.
 */
export async function writeTokens(wanted: TokensFile): Promise<TokenCounts> {
  const counts = { records: 0, refused: 0 };
  const beside = `${wanted.out}.new`;
  await pipeline(
    Readable.from(rowsOf(wanted, counts)),
    stringify(),
    createWriteStream(beside, { mode: 0o600 }),
  );
  await rename(beside, wanted.out);
  return counts;
}

async function* rowsOf(
  wanted: TokensFile,
  counts: { records: number; refused: number },
): AsyncGenerator<string[]> {
  const kept = wanted.columns.all.flatMap((column, index) => (column.class === undefined ? [index] : []));
  const lines = linesOf(wanted);
  let isHeader = true;
  for await (const cells of csvRows(wanted.file)) {
    const beside = kept.map((index) => cells[index] ?? '');
    if (isHeader) yield [...beside, 'row', 'token', 'error'];
    else {
      const line = (await lines.next()).value;
      counts.records += 1;
      if (line?.row !== counts.records) throw notOfFile();
      if ('code' in line) counts.refused += 1;
      yield [...beside, String(line.row), 'token' in line ? line.token : '', 'code' in line ? line.code : ''];
    }
    isHeader = false;
  }
}

async function* linesOf({ results, load, parts }: TokensFile): AsyncGenerator<ResultLine, undefined> {
  for (let part = 1; part <= parts; part += 1) yield* await results.read({ load, part });
  return undefined;
}

function notOfFile(): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_RESULTS_UNREADABLE',
    message: 'the results do not fit the file: expected a line for each of its rows, in order',
    remedy: 'see that the file was not changed while it was loaded',
  });
}
