/**
 * The memory of a fresh tokenizer: at rest, and while it makes a million tokens; and what it asks of KMS
 * for them.
 *
 * @module
 */

import { residentMegabytes } from './cpu.ts';
import { differences } from './cpu.ts';
import { BATCH_ITEMS } from './operations.ts';
import type { Plan } from './plan.ts';
import { measure, type Measuring } from './rounds.ts';
import type { KmsCounts } from './stores.ts';
import type { Target } from './target.ts';

const STEPS = 10;
const CONNECTIONS = 8;

/** What is asked for the data: the seals of the audit are asked for by time, and not by tokens. */
const DATA_PATH_CALLS = [
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'Encrypt',
  'Decrypt',
  'ReEncrypt',
];

export interface MemoryResult {
  readonly tokens: number;
  readonly wantedTokens: number;
  readonly seconds: number;
  readonly atRestMb: number;
  /** After each tenth of the wanted tokens. */
  readonly stepsMb: readonly number[];
  /** Since the tokenizer was started, by name. */
  readonly kmsCalls: Readonly<Record<string, number>>;
  /** For the data alone: those of the start and of the first tokens, and what more tokens add, for a million. */
  readonly kmsCallsPerMillion: number;
}

/** @param kmsBefore - What KMS had counted before the tokenizer was started. */
export async function measureMemory(
  measuring: Measuring,
  target: Target,
  plan: Plan,
  kmsBefore: KmsCounts,
  say: (line: string) => void,
): Promise<MemoryResult> {
  const pid = target.pids['app'] ?? 0;
  const atRestMb = residentMegabytes(pid);
  const startedAt = performance.now();
  const secondsGone = (): number => (performance.now() - startedAt) / 1_000;
  const stepsMb: number[] = [];
  const callsAfter: number[] = [];
  const batches = Math.ceil(plan.memoryTokens / STEPS / BATCH_ITEMS / CONNECTIONS) * CONNECTIONS;
  const load = { operation: 'tokenize-batch-100', connections: CONNECTIONS, tokens: [] } as const;
  while (stepsMb.length < STEPS && (stepsMb.length === 0 || secondsGone() < plan.memorySeconds)) {
    await measure(measuring, target, load, batches);
    stepsMb.push(residentMegabytes(pid));
    callsAfter.push(dataPathCalls(kmsBefore, await target.store.kms.counts()));
    say(`${stepsMb.length * batches * BATCH_ITEMS} tokens: ${stepsMb.at(-1)?.toFixed(0)} MB`);
  }
  const stepTokens = batches * BATCH_ITEMS;
  return {
    tokens: stepsMb.length * stepTokens,
    wantedTokens: batches * BATCH_ITEMS * STEPS,
    seconds: secondsGone(),
    ...{ atRestMb, stepsMb },
    kmsCalls: differences(kmsBefore.calls, (await target.store.kms.counts()).calls),
    kmsCallsPerMillion: perMillion(callsAfter, stepTokens),
  };
}

function dataPathCalls(before: KmsCounts, after: KmsCounts): number {
  const counted = differences(before.calls, after.calls);
  return DATA_PATH_CALLS.reduce((sum, name) => sum + (counted[name] ?? 0), 0);
}

/** @param callsAfter - Since the start, after each step. */
function perMillion(callsAfter: readonly number[], stepTokens: number): number {
  const [first = 0] = callsAfter;
  const last = callsAfter.at(-1) ?? first;
  const steps = callsAfter.length - 1;
  return steps === 0 ? first : first + ((last - first) * 1_000_000) / (steps * stepTokens);
}
