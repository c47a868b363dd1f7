/**
 * A file of 10,000 records through the queue of a running mesh, with command and function killed on the way.
 *
 * @module
 */

import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it } from '@jest/globals';
import { searchForLeaks } from '../../local/leaks.ts';
import { BULK_OPTIONS, makeBulkFile, NAME_MARK, NUMBER_MARK, panOf } from '../../local/scenes/bulk-file.ts';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { bulkClients } from '../../operator/bulk-clients.ts';
import { isAsShown, type RunCommand } from '../support/console-session.ts';
import { callAs } from '../support/mesh-call.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';
import { readerFolder, readPage } from '../support/reader.ts';
import { mesh } from '../support/running-mesh.ts';

const RECORDS = 10_000;
/** Longer than the function waits at the queue. */
const ASKED_FOR_MS = 4_000;
const DEADLINE_MS = 240_000;

const suite = meshOfSuite();

function clients() {
  const { endpointUrl, region } = suite.state.aws;
  return { ...emulatorClients(endpointUrl, region), ...bulkClients(endpointUrl, region) };
}

const logOfFunction = (): string =>
  readFileSync(join(suite.state.directory, 'the-function-bulk.log'), 'utf8');

const isMarked = (text: string): boolean => text.includes(NUMBER_MARK) || text.includes(NAME_MARK);

function rowsIn(file: string): string[][] {
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((row) => row.split(','));
}

/** What docs/queue.md shows of a terminal, run again. */
async function typed(isTyped: (command: string) => boolean): Promise<RunCommand[]> {
  const some = ['customer,number', `c-1,${panOf(1)}`, `c-2,${panOf(2)}`, 'c-3,1234', ''];
  const folder = readerFolder({ 'some.csv': some.join('\n') });
  const run = await readPage('docs/queue.md', {
    folder,
    stateFile: suite.run.stateFile,
    types: ({ command }) => isTyped(command),
    deadlineMs: DEADLINE_MS,
  });
  rmSync(folder, { recursive: true, force: true });
  expect(run.filter((each) => !isAsShown(each))).toEqual([]);
  return run;
}

describe('a file of 10,000 records', () => {
  it(
    'ends with each tokenized once, though command and function are killed half-way',
    async () => {
      const [scene] = await typed((command) => command.includes('scene'));
      const said = scene?.printed.join('\n') ?? '';
      expect(said).toMatch(/command killed by SIGKILL: [1-9]\d parts of 100 records sent/);
      expect(said).toContain('10000 records: 10000 tokens, 0 refused');
      // A record that was tokenized twice would be there under a token that nobody has.
      expect(said).toContain('10000 records more in the vault\nheld\n');

      const out = /10000 distinct tokens in (\S+)/.exec(said)?.[1] ?? '';
      const [header, ...rows] = rowsIn(out);
      expect(header).toEqual(['customer', 'row', 'token', 'error']);
      expect(rows.map(([customer, row]) => [customer, row])).toEqual(
        Array.from({ length: RECORDS }, (_, index) => [`c-${index + 1}`, String(index + 1)]),
      );
      for (const index of [0, 4_321, RECORDS - 1]) {
        const token = rows[index]?.[2];
        const { document } = await callAs(suite.state, 'paybill', 'POST', '/v1/detokenize', { token });
        expect(document['fields']).toMatchObject({
          number: { value: panOf(index), form: 'plain' },
          name: { value: `${NAME_MARK}, ${index + 1}` },
        });
      }
      rmSync(dirname(out), { recursive: true, force: true });

      const tables = Object.values(suite.state.tables);
      const leaks = await searchForLeaks(suite.state.directory, clients().dynamodb, tables, [
        NUMBER_MARK,
        NAME_MARK,
      ]);
      expect(leaks.found).toEqual([]);
      expect(leaks.items).toBeGreaterThan(RECORDS);
      expect(logOfFunction()).toContain('part consumed');
    },
    DEADLINE_MS,
  );
});

/** The process that the log tells of last. */
function functionPid(): number {
  const line = logOfFunction()
    .split('\n')
    .findLast((each) => each.includes('function polls'));
  return (JSON.parse(line ?? '{}') as { pid: number }).pid;
}

describe('a file', () => {
  it(
    'is loaded as its page shows',
    async () => {
      const run = await typed((command) => !command.includes('scene'));
      expect(run.map(({ code }) => code)).toEqual([2, 1, 0]);
    },
    DEADLINE_MS,
  );

  it(
    'lies in the queue sealed, waits there, and tells which of its records were refused',
    async () => {
      const file = makeBulkFile(3);
      appendFileSync(file, 'c-4,1234,Nobody\n');
      const { sqs } = clients();
      process.kill(functionPid(), 'SIGSTOP');
      // What it has asked the queue for already is answered by then, with nothing.
      await sleep(ASKED_FOR_MS);
      try {
        const sent = await mesh(suite.run, ['load', file, ...BULK_OPTIONS, '--no-wait']);
        expect([sent.code, sent.stdout]).toEqual([
          0,
          '1 parts are in the queue; run the command again for their tokens\n',
        ]);
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({ QueueUrl: suite.state.bulk.queue.url, VisibilityTimeout: 0 }),
        );
        expect(Messages).toHaveLength(1);
        const lying = Buffer.from(Messages[0]?.Body ?? '', 'base64').toString('latin1');
        expect(lying).toContain('tokenmesh-bulk');
        expect(isMarked(lying) || isMarked(readFileSync(`${file}.load`, 'utf8'))).toBe(false);
      } finally {
        process.kill(functionPid(), 'SIGCONT');
      }
      const other = await mesh(suite.run, ['load', file, '--class', 'number=text', '--keep', 'customer']);
      expect([other.code, other.stderr.includes('was loaded in part before')]).toEqual([1, true]);
      const done = await mesh(suite.run, ['load', file, ...BULK_OPTIONS]);
      expect([done.code, done.stdout]).toEqual([
        1,
        `4 records: 3 tokens, 1 refused; written to ${file}.tokens.csv\n`,
      ]);
      expect(rowsIn(`${file}.tokens.csv`).at(-1)).toEqual(['c-4', '4', '', 'ERR_VALUE_INVALID']);
      rmSync(dirname(file), { recursive: true, force: true });
    },
    DEADLINE_MS,
  );

  it(
    'goes through the FIFO queue where its order is asked for',
    async () => {
      const file = makeBulkFile(350);
      const done = await mesh(suite.run, ['load', file, ...BULK_OPTIONS, '--ordered']);
      expect([done.code, done.stdout]).toEqual([
        0,
        `350 records: 350 tokens, 0 refused; written to ${file}.tokens.csv\n`,
      ]);
      const parts = logOfFunction()
        .split('\n')
        .filter((line) => line.includes('part consumed'))
        .map((line) => JSON.parse(line) as { load: string; part: number });
      const load = parts.at(-1)?.load;
      expect(parts.filter((each) => each.load === load).map(({ part }) => part)).toEqual([1, 2, 3, 4]);
      rmSync(dirname(file), { recursive: true, force: true });
    },
    DEADLINE_MS,
  );

  it.each<[string, string, readonly string[], string]>([
    ['that is not there', '', [], 'cannot be read'],
    ['with a column of no class', 'customer,name\nc-1,A\n', [], '--keep'],
    ['with an option that is none', 'name\nA\n', ['--class', 'name'], 'such as number=pan'],
  ])('refuses one %s', async (_what, text, options, said) => {
    const file = makeBulkFile(0);
    if (text === '') rmSync(file);
    else writeFileSync(file, text);
    const { code, stderr } = await mesh(suite.run, ['load', file, ...options]);
    expect([code, stderr.includes(said)]).toEqual([2, true]);
    rmSync(dirname(file), { recursive: true, force: true });
  });
});
