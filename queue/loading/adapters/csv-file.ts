import { createReadStream } from 'node:fs';
import { CsvError, parse } from 'csv-parse';
import { TokenmeshError } from '../../../errors/error.ts';

/**
 * The rows of a CSV file (RFC 4180, UTF-8), its header first, one after the other: a file may be larger than memory.
 *
 * @throws {TokenmeshError} `ERR_FILE_UNREADABLE`; `ERR_FILE_NOT_CSV`, with the line and never with what is in it.
 */
export async function* csvRows(file: string): AsyncGenerator<readonly string[]> {
  const stream = createReadStream(file);
  const rows = stream.pipe(parse({ bom: true, skipEmptyLines: true, relaxColumnCount: false }));
  stream.once('error', (error) => rows.destroy(error));
  try {
    for await (const row of rows) yield row as readonly string[];
  } catch (cause) {
    throw cause instanceof CsvError ? notCsv(cause) : unreadable(file, cause);
  } finally {
    stream.destroy();
  }
}

function notCsv({ code, lines }: CsvError): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_FILE_NOT_CSV',
    message: `line ${String(lines)} of the file is not CSV: expected as many cells as the header has, in quotes where they need them, got ${code}`,
    remedy: 'correct the line, then run the command again',
  });
}

export function unreadable(file: string, cause: unknown): TokenmeshError {
  const reason = (cause as NodeJS.ErrnoException).code ?? 'an error';
  return new TokenmeshError({
    code: 'ERR_FILE_UNREADABLE',
    message: `${file} cannot be read: expected a file, got ${reason}`,
    remedy: 'correct the path, or see that the file may be read',
    cause,
  });
}
