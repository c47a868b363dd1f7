import { TokenmeshError } from '../../errors/error.ts';
import { PART_BYTES, PART_RECORDS, type BulkRecord, type Part } from '../part.ts';

/**
 * Divides the records of a load into parts: the same records make the same parts, however often it is done.
 *
 * @throws {TokenmeshError} `ERR_RECORD_TOO_LARGE`, with the row; what came before it has been given out.
 */
export async function* partsOf(load: string, records: AsyncIterable<BulkRecord>): AsyncGenerator<Part> {
  let items: BulkRecord[] = [];
  let bytes = 0;
  let part = 1;
  let firstRow = 1;
  for await (const record of records) {
    const size = Buffer.byteLength(JSON.stringify(record));
    if (size > PART_BYTES) throw tooLarge(firstRow + items.length, size);
    if (items.length === PART_RECORDS || bytes + size > PART_BYTES) {
      yield { load, part, firstRow, items };
      firstRow += items.length;
      part += 1;
      items = [];
      bytes = 0;
    }
    items.push(record);
    bytes += size;
  }
  if (items.length > 0) yield { load, part, firstRow, items };
}

function tooLarge(row: number, size: number): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_RECORD_TOO_LARGE',
    message: `row ${row} is too large for a message: expected at most ${PART_BYTES} bytes, got ${size}`,
    remedy: 'send the row by POST /v1/tokens, leave it out of the file, and run the command again',
  });
}
