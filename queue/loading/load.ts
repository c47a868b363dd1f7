/**
 * Brings a file into the queue, and its tokens back: each step may be cut off at any moment and done again.
 *
 * @module
 */

import { TokenmeshError } from '../../errors/error.ts';
import type { BulkRecord, Part } from '../part.ts';
import type { PartQueue, PartSealer, ResultStore } from '../ports.ts';
import { partsOf } from './parts.ts';
import type { Journal, JournalFile } from './ports.ts';

export interface LoadPorts {
  readonly records: () => AsyncIterable<BulkRecord>;
  readonly journal: JournalFile;
  readonly sealer: PartSealer;
  readonly queue: PartQueue;
  readonly progress: (line: string) => void;
}

/** Sealed at once, sent at once, and written down as sent: what is done again after a cut is no more than this. */
const PARTS_AT_ONCE = 10;

/**
 * Sends what has not been sent.
 *
 * A cut between a send and its line in the journal sends those parts twice, which counts once.
 *
 * @throws {TokenmeshError} what failed: run again, it goes on.
 */
export async function sendParts(journal: Journal, ports: LoadPorts): Promise<Required<Journal>> {
  if (journal.parts !== undefined) return { ...journal, parts: journal.parts };
  let [sent, all, rows] = [journal.partsSent, 0, 0];
  for await (const batch of batchesOf(partsOf(journal.load, ports.records()))) {
    all = batch.at(-1)?.part ?? all;
    rows = (batch.at(-1)?.firstRow ?? 0) + (batch.at(-1)?.items.length ?? 0) - 1;
    if (all <= sent) continue;
    await sendBatch(
      batch.filter(({ part }) => part > sent),
      ports,
    );
    sent = all;
    await ports.journal.write({ ...journal, partsSent: sent });
    ports.progress(`${rows} records sent`);
  }
  const done = { ...journal, partsSent: sent, parts: all };
  await ports.journal.write(done);
  return done;
}

/** Sends those parts again that have no results: after a fault that had them given up on. */
export async function sendMissing(journal: Journal, results: ResultStore, ports: LoadPorts): Promise<number> {
  const there = new Set(await results.list(journal.load));
  let count = 0;
  for await (const batch of batchesOf(partsOf(journal.load, ports.records()))) {
    const missing = batch.filter(({ part }) => part <= journal.partsSent && !there.has(part));
    if (missing.length > 0) await sendBatch(missing, ports);
    count += missing.length;
  }
  return count;
}

async function sendBatch(parts: readonly Part[], { sealer, queue }: LoadPorts): Promise<void> {
  const sealed = await Promise.all(
    parts.map(async (part) => ({ load: part.load, part: part.part, sealed: await sealer.seal(part) })),
  );
  await queue.send(sealed);
}

async function* batchesOf(parts: AsyncIterable<Part>): AsyncGenerator<Part[]> {
  let batch: Part[] = [];
  for await (const part of parts) {
    batch.push(part);
    if (batch.length < PARTS_AT_ONCE) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

export interface FollowPorts {
  readonly results: ResultStore;
  readonly queue: PartQueue;
  readonly progress: (line: string) => void;
  readonly wait: (milliseconds: number) => Promise<unknown>;
  /** Monotonic, in milliseconds. */
  readonly clock: () => number;
}

const LOOK_EVERY_MS = 500;

/**
 * Waits until every part of a load has its results.
 *
 * @param patienceMs - How long nothing may come before it is given up.
 * @throws {TokenmeshError} `ERR_LOAD_UNFINISHED`: the parts are in the queue, or among the dead letters.
 */
export async function followLoad(
  { load, parts }: Required<Pick<Journal, 'load' | 'parts'>>,
  patienceMs: number,
  ports: FollowPorts,
): Promise<void> {
  let known = -1;
  let changedAt = ports.clock();
  for (;;) {
    const done = (await ports.results.list(load)).length;
    if (done >= parts) return;
    if (done !== known) [known, changedAt] = [done, ports.clock()];
    if (ports.clock() - changedAt > patienceMs) throw await unfinished(done, parts, ports.queue);
    ports.progress(`${done} of ${parts} parts tokenized`);
    await ports.wait(LOOK_EVERY_MS);
  }
}

async function unfinished(done: number, parts: number, queue: PartQueue): Promise<TokenmeshError> {
  const dead = await queue.deadLetters();
  return new TokenmeshError({
    code: 'ERR_LOAD_UNFINISHED',
    message: `the load is not finished: expected the results of ${parts} parts, got ${done}, and nothing came for a while; ${dead} messages are in the dead-letter queue`,
    remedy:
      'see the log of the function "bulk" for why; run the command again to go on waiting, with --resend once the cause is mended',
  });
}
