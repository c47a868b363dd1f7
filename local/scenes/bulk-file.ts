import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cardWith } from './made-cards.ts';

/** In every number and every name of a made file, so that one search finds any of them. */
export const NUMBER_MARK = '99994242';
export const NAME_MARK = 'Marked Person';

/** How the columns of a made file are read. */
export const BULK_OPTIONS = ['--class', 'number=pan', '--keep', 'customer'];

/** A CSV file of cards that nobody has: `customer,number,name`, every record another. */
export function makeBulkFile(records: number): string {
  const file = join(mkdtempSync(join(tmpdir(), 'tokenmesh-bulk-')), 'cards.csv');
  const rows = Array.from(
    { length: records },
    (_, index) => `c-${index + 1},${panOf(index)},"${NAME_MARK}, ${index + 1}"`,
  );
  writeFileSync(file, ['customer,number,name', ...rows, ''].join('\n'), { mode: 0o600 });
  return file;
}

export function panOf(index: number): string {
  return cardWith(NUMBER_MARK, 16, index);
}
