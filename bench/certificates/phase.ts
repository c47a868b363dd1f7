/**
 * A part of the bench under load: what changed when, and what became of every request meanwhile.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { lanesOf, type LoadTarget } from './lanes.ts';
import { startCertificateLoad } from './load.ts';
import { judgeLane, type LaneResult, type Window } from './windows.ts';

/** The effect of a change on latency ends with the handshakes that it made necessary. */
export const AFTER_A_CHANGE_MS = 300;

export interface Phase {
  readonly name: string;
  readonly lanes: readonly LaneResult[];
  readonly windows: readonly Window[];
  readonly seconds: number;
}

export interface PhaseWish {
  readonly name: string;
  readonly target: LoadTarget;
  readonly requestsPerSecond: number;
  /** With nothing changing, before and after. */
  readonly quietMs: number;
}

/** Does one thing that changes certificates, and notes when. */
export type During = <Result>(what: string, work: () => Promise<Result>) => Promise<Result>;

/** Never throws for a request that failed: it counts it. */
export async function underLoad<Result>(
  wish: PhaseWish,
  work: (during: During) => Promise<Result>,
): Promise<{ phase: Phase; result: Result }> {
  const started = performance.now();
  const load = await startCertificateLoad(lanesOf(wish.target, wish.requestsPerSecond));
  const windows: Window[] = [];
  try {
    await sleep(wish.quietMs);
    const result = await work(windowed(windows));
    await sleep(wish.quietMs);
    const samples = await load.stop();
    const seconds = (performance.now() - started) / 1000;
    const lanes = samples.map((each) => judgeLane(each, windows, seconds));
    return { phase: { name: wish.name, lanes, windows, seconds }, result };
  } finally {
    load.kill();
  }
}

function windowed(windows: Window[]): During {
  return async (what, work) => {
    const from = Date.now();
    try {
      return await work();
    } finally {
      await sleep(AFTER_A_CHANGE_MS);
      windows.push({ what, from, to: Date.now() });
    }
  };
}
