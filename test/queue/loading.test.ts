import { randomUUID } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { csvRows } from '../../queue/loading/adapters/csv-file.ts';
import { journalFile } from '../../queue/loading/adapters/journal-file.ts';
import { writeTokens } from '../../queue/loading/adapters/tokens-file.ts';
import { batchesOf } from '../../queue/adapters/sqs-parts.ts';
import { columnsOf, recordOf } from '../../queue/loading/columns.ts';
import { followLoad, sendMissing, sendParts } from '../../queue/loading/load.ts';
import { partsOf } from '../../queue/loading/parts.ts';
import type { BulkRecord, Part } from '../../queue/part.ts';
import type { PartQueue } from '../../queue/ports.ts';
import { MemoryResults } from '../fakes/memory-results.ts';
import { openly, PAN, recordWith } from '../support/queue-under-test.ts';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tokenmesh-loading-'));
  file = join(directory, 'cards.csv');
});
afterEach(() => rmSync(directory, { recursive: true }));

async function* several(count: number, value = PAN): AsyncGenerator<BulkRecord> {
  for (let index = 0; index < count; index += 1) yield recordWith(value);
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe('the columns of a file', () => {
  const none = { classes: {}, kept: [] };

  it('are named after their class, or said by an option', () => {
    const columns = columnsOf(['id', 'card', 'name'], { classes: { card: 'pan' }, kept: ['id'] });
    expect(recordOf(columns, ['c-1', PAN, ''])).toEqual({ fields: { card: { class: 'pan', value: PAN } } });
  });

  it.each([
    ['a column of no class', ['number', 'name'], none],
    ['a column twice', ['name', 'name'], none],
    ['a class that there is not', ['a'], { classes: { a: 'card' }, kept: [] }],
    ['an option for no column', ['name'], { classes: { number: 'pan' }, kept: [] }],
    ['nothing to tokenize', ['id'], { classes: {}, kept: ['id'] }],
    ['no header at all', [], none],
  ])('refuses %s', (_what, header, options) => {
    expect(() => columnsOf(header, options)).toThrow(
      expect.objectContaining({ code: 'ERR_COLUMNS_UNCLEAR' }),
    );
  });

  it('refuses a file without a header, and does not show what is in it', () => {
    expect(() => columnsOf([PAN, 'A Person'], none)).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/got column 1, column 2$/),
        remedy: expect.stringContaining('--class'),
      }),
    );
  });
});

describe('the parts of a load', () => {
  it('hold a hundred records each, and are the same however often they are made', async () => {
    const parts = await all(partsOf('a-load-of-mine', several(250)));
    expect(parts.map(({ part, firstRow, items }) => [part, firstRow, items.length])).toEqual([
      [1, 1, 100],
      [2, 101, 100],
      [3, 201, 50],
    ]);
    expect(await all(partsOf('a-load-of-mine', several(250)))).toEqual(parts);
  });

  it('hold fewer where they are large, so that each fits into a message of SQS', async () => {
    const parts = await all(partsOf('a-load-of-mine', several(20, 'x'.repeat(20_000))));
    expect(parts.map(({ items }) => items.length)).toEqual([3, 3, 3, 3, 3, 3, 2]);
  });

  it('travel together as far as SQS takes them in one call: ten, or 256 KiB', () => {
    const parts = (count: number, bytes: number) =>
      Array.from({ length: count }, () => ({ sealed: 'x'.repeat(bytes) }));
    const sizes = (count: number, bytes: number) =>
      batchesOf(parts(count, bytes)).map((batch) => batch.length);
    expect(sizes(21, 17_000)).toEqual([10, 10, 1]);
    expect(sizes(5, 88_000)).toEqual([2, 2, 1]);
    expect(sizes(4, 65_536)).toEqual([4]);
    expect(sizes(4, 65_537)).toEqual([3, 1]);
    expect(sizes(0, 1)).toEqual([]);
  });

  it('refuses a record that fits into none, by its row', async () => {
    const records = async function* () {
      yield recordWith(PAN);
      yield recordWith('x'.repeat(70_000));
    };
    await expect(all(partsOf('a-load-of-mine', records()))).rejects.toMatchObject({
      code: 'ERR_RECORD_TOO_LARGE',
      message: expect.stringContaining('row 2 '),
    });
  });
});

/** A queue that takes so many parts, and then fails as one that is not there. */
class QueueUnderTest implements PartQueue {
  readonly taken: number[] = [];
  failsAfter = Number.POSITIVE_INFINITY;

  async send(parts: readonly Pick<Part, 'load' | 'part'>[]): Promise<void> {
    if (this.taken.length + parts.length > this.failsAfter) throw new Error('no queue');
    this.taken.push(...parts.map(({ part }) => part));
  }

  async deadLetters(): Promise<number> {
    return 2;
  }
}

function loadUnderTest(count: number) {
  writeFileSync(file, 'a file');
  const queue = new QueueUnderTest();
  const journal = journalFile(file, 'options');
  const ports = { journal, queue, sealer: openly, records: () => several(count), progress: () => undefined };
  return { queue, journal, ports };
}

describe('sending a load', () => {
  it('goes on after the last part that it knows was sent', async () => {
    const { queue, journal, ports } = loadUnderTest(2_500);
    queue.failsAfter = 10;
    await expect(sendParts(await journal.begin(randomUUID()), ports)).rejects.toThrow('no queue');
    queue.failsAfter = Number.POSITIVE_INFINITY;
    const left = await journal.find();
    expect(left).toMatchObject({ partsSent: 10 });
    const sent = await sendParts(left ?? (await journal.begin('never')), ports);
    expect(sent).toMatchObject({ partsSent: 25, parts: 25, load: left?.load });
    expect(queue.taken).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
    await sendParts(sent, ports);
    expect(queue.taken).toHaveLength(25);
  });

  it('sends again what has no results, and nothing else', async () => {
    const { queue, journal, ports } = loadUnderTest(400);
    const sent = await sendParts(await journal.begin(randomUUID()), ports);
    const results = new MemoryResults();
    for (const part of [1, 3]) await results.insert({ load: sent.load, part }, []);
    expect(await sendMissing(sent, results, ports)).toBe(2);
    expect(queue.taken).toEqual([1, 2, 3, 4, 2, 4]);
  });

  it('refuses to go on with a file that was changed, or read in another way', async () => {
    const { journal } = loadUnderTest(1);
    await journal.begin(randomUUID());
    await expect(journalFile(file, 'others').find()).rejects.toMatchObject({ code: 'ERR_LOAD_CHANGED' });
    expect(await journal.find()).toMatchObject({ partsSent: 0 });
    appendFileSync(file, 'more');
    await expect(journal.find()).rejects.toMatchObject({ code: 'ERR_LOAD_CHANGED' });
    writeFileSync(journal.path, 'not a journal');
    await expect(journal.find()).rejects.toMatchObject({ code: 'ERR_LOAD_CHANGED' });
  });

  it('refuses to begin anew beside a journal that it cannot read', async () => {
    const { journal } = loadUnderTest(1);
    mkdirSync(journal.path);
    await expect(journal.find()).rejects.toMatchObject({ code: 'ERR_FILE_UNREADABLE' });
  });

  it('writes nothing of a record into its journal, which only its user may read', async () => {
    const { journal, ports } = loadUnderTest(300);
    await sendParts(await journal.begin(randomUUID()), ports);
    expect(readFileSync(journal.path, 'utf8')).not.toContain(PAN.slice(0, 6));
    expect(statSync(journal.path).mode & 0o777).toBe(0o600);
    await journal.remove();
    expect(existsSync(journal.path)).toBe(false);
  });

  it('waits for every part, and says what is missing where nothing comes', async () => {
    const results = new MemoryResults();
    const load = randomUUID();
    let now = 0;
    const ports = {
      results,
      queue: new QueueUnderTest(),
      progress: () => undefined,
      clock: () => now,
      wait: async (milliseconds: number) => {
        now += milliseconds;
        if (now === 1_000) await results.insert({ load, part: 1 }, []);
      },
    };
    await expect(followLoad({ load, parts: 2 }, 5_000, ports)).rejects.toMatchObject({
      code: 'ERR_LOAD_UNFINISHED',
      message: expect.stringMatching(/2 parts, got 1, .*; 2 messages are in the dead-letter queue/),
    });
    expect(now).toBeGreaterThanOrEqual(6_000);
    await results.insert({ load, part: 2 }, []);
    await expect(followLoad({ load, parts: 2 }, 5_000, ports)).resolves.toBeUndefined();
  });
});

describe('a CSV file', () => {
  it('is read with quotes, a byte order mark and either end of line', async () => {
    writeFileSync(file, '\u{FEFF}name,text\r\n"Doe, J","a ""b""\nc"\r\n\r\nX,\r\n');
    expect(await all(csvRows(file))).toEqual([
      ['name', 'text'],
      ['Doe, J', 'a "b"\nc'],
      ['X', ''],
    ]);
  });

  it('refuses a row of another length by its line, without what is in it', async () => {
    writeFileSync(file, `name\nok\n${PAN},x\n`);
    const error = await all(csvRows(file)).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'ERR_FILE_NOT_CSV', message: expect.stringContaining('line 3') });
    expect(String(error)).not.toContain(PAN);
  });

  it('refuses a file that is not there', async () => {
    await expect(all(csvRows(join(directory, 'none.csv')))).rejects.toMatchObject({
      code: 'ERR_FILE_UNREADABLE',
    });
  });

  it('gets its tokens as another, with what was kept and in its order', async () => {
    writeFileSync(file, `id,number\n"a,1",${PAN}\nb,1\n`);
    const [results, load] = [new MemoryResults(), randomUUID()];
    await results.insert({ load, part: 1 }, [{ row: 1, token: 'tkn_a' }]);
    await results.insert({ load, part: 2 }, [{ row: 2, code: 'ERR_VALUE_INVALID', remedy: 'correct it' }]);
    const columns = columnsOf(['id', 'number'], { classes: { number: 'pan' }, kept: ['id'] });
    const out = join(directory, 'tokens.csv');
    const counts = await writeTokens({ file, columns, results, load, parts: 2, out });
    expect(counts).toEqual({ records: 2, refused: 1 });
    expect(readFileSync(out, 'utf8')).toBe('id,row,token,error\n"a,1",1,tkn_a,\nb,2,,ERR_VALUE_INVALID\n');
    await expect(writeTokens({ file, columns, results, load, parts: 1, out })).rejects.toMatchObject({
      code: 'ERR_RESULTS_UNREADABLE',
    });
  });
});
