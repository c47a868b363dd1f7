/**
 * The p99 of tokenize across the refresh of a branch key, against the p99 at other times: a tokenizer whose
 * keys live for seconds, and a KMS that takes its time.
 *
 * @module
 */

import { percentile } from './statistics.ts';
import type { LoadGenerator } from './load-generator.ts';
import { KEY_SECONDS } from './plan.ts';
import { amountFor, warm, type Load, type Measuring } from './rounds.ts';
import type { Target } from './target.ts';

/** What a call to KMS takes on a network: else nobody would notice who waits for one. */
export const KMS_DELAY_MS = 20;

/** From the moment KMS is asked: answers that come in here are across the refresh. */
const WINDOW_MS = 100;

const CONNECTIONS = 16;

export interface RefreshResult {
  readonly refreshes: number;
  readonly keySeconds: number;
  readonly seconds: number;
  readonly answersAcross: number;
  readonly answersOutside: number;
  readonly p99AcrossMs: number;
  readonly p99OutsideMs: number;
}

/** @returns Undefined where no key was refreshed meanwhile. */
export async function measureRefresh(
  measuring: Measuring,
  target: Target,
  seconds: number,
): Promise<RefreshResult | undefined> {
  const { kms } = target.store;
  const load: Load = { operation: 'tokenize-one', connections: CONNECTIONS, tokens: [] };
  await kms.delay(KMS_DELAY_MS);
  try {
    const rate = await warm(measuring, target, load, 1);
    const startedAt = Date.now();
    const timed = await sendTimed(measuring.generator, target, load, amountFor(rate, seconds, CONNECTIONS));
    const { dataKeyCallsAtMs } = await kms.counts();
    // Two calls for one refresh, where both ways have a key of their own, are one.
    const refreshes = dataKeyCallsAtMs
      .filter((at) => at >= startedAt)
      .filter((at, index, all) => index === 0 || at - (all[index - 1] ?? 0) > WINDOW_MS);
    if (refreshes.length === 0) return undefined;
    const isAcross = (at: number): boolean => refreshes.some((from) => at >= from && at < from + WINDOW_MS);
    const across = sortedTimes(timed.filter(([at]) => isAcross(at)));
    const outside = sortedTimes(timed.filter(([at]) => !isAcross(at)));
    return {
      refreshes: refreshes.length,
      keySeconds: KEY_SECONDS,
      seconds: (Date.now() - startedAt) / 1_000,
      answersAcross: across.length,
      answersOutside: outside.length,
      p99AcrossMs: percentile(across, 0.99),
      p99OutsideMs: percentile(outside, 0.99),
    };
  } finally {
    await kms.delay(0);
  }
}

type Timed = readonly (readonly [atMs: number, tookMs: number])[];

async function sendTimed(
  generator: LoadGenerator,
  target: Target,
  load: Load,
  amount: number,
): Promise<Timed> {
  const socketPath = target.egressSockets.order;
  const result = await generator.run({ ...load, amount, socketPath, url: 'http://tokenizer', isTimed: true });
  return result.timed ?? [];
}

function sortedTimes(timed: Timed): Float64Array {
  return Float64Array.from(timed, ([, took]) => took).sort();
}
