/**
 * A file of 10,000 records through the queue, with the command and the function killed half-way.
 *
 * @module
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { paginateScan, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { bulkClients } from '../../operator/bulk-clients.ts';
import { createS3Results } from '../../queue/adapters/s3-results.ts';
import type { Journal } from '../../queue/loading/ports.ts';
import { BULK_OPTIONS, makeBulkFile } from './bulk-file.ts';
import type { Scene, Stage } from './scene.ts';

const RECORDS = 10_000;
const PARTS_SENT_AT_KILL = 20;
const PARTS_DONE_AT_KILL = 5;
const DEADLINE_MS = 120_000;

const COMMAND = join(import.meta.dirname, '..', '..', 'operator', 'cli.ts');

export const bulkLoad: Scene = {
  title: `a file of ${RECORDS} records, with the command and the function killed half-way`,
  async play(stage) {
    const { aws, tables, bulk } = stage.state;
    const { dynamodb } = emulatorClients(aws.endpointUrl, aws.region);
    const { s3 } = bulkClients(aws.endpointUrl, aws.region);
    const results = createS3Results({ client: s3, bucket: bulk.resultsBucket });
    const file = makeBulkFile(RECORDS);
    const before = await recordsIn(dynamodb, tables.tokens);
    const journal = await killLoader(stage, file);
    stage.say(`command killed by SIGKILL: ${journal.partsSent} parts of 100 records sent`);
    await until(async () => (await results.list(journal.load)).length >= PARTS_DONE_AT_KILL);
    await killFunction(stage);
    const { length: done } = await results.list(journal.load);
    stage.say(`function killed by SIGKILL: ${done} parts tokenized`);
    if ((await loadAgain(stage, file)) !== 0) return false;
    const stored = (await recordsIn(dynamodb, tables.tokens)) - before;
    const tokens = tokensIn(`${file}.tokens.csv`);
    stage.say(`${tokens.length} rows with ${new Set(tokens).size} distinct tokens in ${file}.tokens.csv`);
    stage.say(`${stored} records more in the vault`);
    const isOnce = tokens.length === RECORDS && new Set(tokens).size === RECORDS && stored === RECORDS;
    return isOnce && journal.partsSent * 100 < RECORDS && done < journal.partsSent;
  },
};

/** In a process group of its own, so that nothing of it is left. */
function startLoader({ stateFile }: Stage, file: string, detached: boolean): ChildProcess {
  return spawn(process.execPath, [COMMAND, 'load', file, ...BULK_OPTIONS], {
    env: { ...process.env, TOKENMESH_STATE: stateFile },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached,
  });
}

async function killLoader(stage: Stage, file: string): Promise<Journal> {
  const loader = startLoader(stage, file, true);
  await until(async () => (journalOf(file)?.partsSent ?? 0) >= PARTS_SENT_AT_KILL);
  process.kill(-(loader.pid ?? 0), 'SIGKILL');
  await once(loader, 'exit');
  const journal = journalOf(file);
  if (journal === undefined) throw new Error('expected the journal of the killed command');
  return journal;
}

/** The same command as before: it goes on. */
async function loadAgain(stage: Stage, file: string): Promise<number | null> {
  const loader = startLoader(stage, file, false);
  for (const stream of [loader.stdout, loader.stderr]) {
    stream?.on('data', (chunk: Buffer) => stage.say(chunk.toString().trimEnd()));
  }
  const [code] = (await once(loader, 'close')) as [number | null];
  return code;
}

function journalOf(file: string): Journal | undefined {
  if (!existsSync(`${file}.load`)) return undefined;
  return JSON.parse(readFileSync(`${file}.load`, 'utf8')) as Journal;
}

/** Which process it is, its log says; and waits for the next, which the run starts in its place. */
async function killFunction({ state }: Stage): Promise<void> {
  const started = (): number[] =>
    readFileSync(join(state.directory, 'the-function-bulk.log'), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"msg":"function polls"'))
      .map((line) => (JSON.parse(line) as { pid: number }).pid);
  const pids = started();
  process.kill(pids.at(-1) ?? 0, 'SIGKILL');
  await until(async () => started().length > pids.length);
}

async function recordsIn(client: DynamoDBClient, TableName: string): Promise<number> {
  let count = 0;
  for await (const { Items = [] } of paginateScan({ client }, { TableName, ProjectionExpression: 'sk' })) {
    count += Items.filter((item) => item['sk']?.S === 'record').length;
  }
  return count;
}

/** Of the columns `customer,row,token,error`; a row without a token has an empty one. */
function tokensIn(file: string): string[] {
  const [, ...rows] = readFileSync(file, 'utf8').trimEnd().split('\n');
  return rows.map((row) => row.split(',')[2] ?? '').filter((token) => token !== '');
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`expected it within ${DEADLINE_MS / 1000} s`);
    await sleep(5);
  }
}
