/**
 * A thread that seals and opens for the thread that started it.
 *
 * @module
 */

import { parentPort } from 'node:worker_threads';
import { openValue, sealValue } from './core/crypto/sealing.ts';
import { RecordUnopenableError } from './core/errors.ts';
import { createRandomPool } from './random-pool.ts';
import { pack, unpack, type SealingJob, type SealingResult } from './sealing-job.ts';

const randomBytes = createRandomPool();
const port = parentPort;

port?.on('message', (job: SealingJob) => {
  const result: SealingResult = { id: job.id, values: pack(resultsOf(job)) };
  job.values.bytes.fill(0);
  port.postMessage(result, [result.values.bytes.buffer]);
});

function resultsOf({ kind, branchKey, values }: SealingJob): (Uint8Array | undefined)[] {
  const parts = unpack(values);
  const results: (Uint8Array | undefined)[] = [];
  for (let at = 0; at < parts.length; at += 2) {
    const [context, value] = [parts[at] ?? new Uint8Array(), parts[at + 1] ?? new Uint8Array()];
    results.push(
      kind === 'seal'
        ? sealValue(branchKey, context, value, randomBytes)
        : openedOrRefused(() => openValue(branchKey, context, value)),
    );
  }
  return results;
}

function openedOrRefused(open: () => Uint8Array): Uint8Array | undefined {
  try {
    return open();
  } catch (error) {
    if (error instanceof RecordUnopenableError) return undefined;
    throw error;
  }
}
