/**
 * Which parts of our own code ran, as V8 counts them: the coverage that guides the fuzzer.
 *
 * @module
 */

import { Session } from 'node:inspector/promises';

interface Interval {
  readonly start: number;
  readonly end: number;
}

/** For each function that ran, what of it did not, in offsets of its script. */
export type Ran = ReadonlyMap<string, readonly Interval[]>;

export interface Coverage {
  /** @returns What ran since the last call. */
  take(): Promise<Ran>;
  stop(): Promise<void>;
}

/** @param isMeasured - By the URL of a module. */
export async function startCoverage(isMeasured: (url: string) => boolean): Promise<Coverage> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  return {
    async take() {
      const { result } = await session.post('Profiler.takePreciseCoverage');
      const functions = result
        .filter(({ url }) => isMeasured(url))
        .flatMap((script) => script.functions.map(({ ranges }) => ({ scriptId: script.scriptId, ranges })));
      return new Map(
        functions
          .filter(({ ranges: [whole] }) => whole !== undefined && whole.count > 0)
          .map(({ scriptId, ranges }) => [
            `${scriptId}:${ranges[0]?.startOffset}`,
            ranges
              .filter(({ count }) => count === 0)
              .map(({ startOffset, endOffset }) => ({ start: startOffset, end: endOffset })),
          ]),
      );
    },
    async stop() {
      await session.post('Profiler.stopPreciseCoverage');
      session.disconnect();
    },
  };
}

/** All that ran so far. */
export class Reached {
  readonly #missed: Map<string, readonly Interval[]>;

  /** @param before - What it goes on from, which stays as it is. */
  constructor(before?: Reached) {
    this.#missed = new Map(before === undefined ? [] : before.#missed);
  }

  /** @returns Whether something ran that had not. */
  add(ran: Ran): boolean {
    let isMore = false;
    for (const [name, missed] of ran) {
      const before = this.#missed.get(name);
      const left = before === undefined ? missed : overlapsOf(before, missed);
      if (before === undefined || lengthOf(left) < lengthOf(before)) isMore = true;
      this.#missed.set(name, left);
    }
    return isMore;
  }

  get functions(): number {
    return this.#missed.size;
  }
}

function overlapsOf(some: readonly Interval[], others: readonly Interval[]): Interval[] {
  return some.flatMap((one) =>
    others
      .map((other) => ({ start: Math.max(one.start, other.start), end: Math.min(one.end, other.end) }))
      .filter(({ start, end }) => start < end),
  );
}

function lengthOf(intervals: readonly Interval[]): number {
  return intervals.reduce((length, { start, end }) => length + end - start, 0);
}
