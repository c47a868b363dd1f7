import { percentile } from '../mesh/statistics.ts';
import type { LaneSamples } from './load.ts';

/** A time in which certificates changed: milliseconds since 1970. */
export interface Window {
  readonly what: string;
  readonly from: number;
  readonly to: number;
}

export interface LaneResult {
  readonly name: string;
  readonly requests: number;
  readonly perSecond: number;
  readonly heldBack: number;
  readonly failed: number;
  readonly failures: readonly string[];
  readonly during: Latency;
  readonly outside: Latency;
}

export interface Latency {
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** The requests of one lane that were sent while certificates changed, beside all the others. */
export function judgeLane(samples: LaneSamples, windows: readonly Window[], seconds: number): LaneResult {
  const during: number[] = [];
  const outside: number[] = [];
  for (const [index, at] of samples.at.entries()) {
    const isDuring = windows.some(({ from, to }) => at >= from && at <= to);
    (isDuring ? during : outside).push(samples.ms[index] ?? 0);
  }
  return {
    name: samples.name,
    requests: samples.at.length,
    perSecond: samples.at.length / seconds,
    heldBack: samples.heldBack,
    failed: samples.failures.length,
    failures: samples.failures.map(({ at, what }) => {
      const window = windows.find(({ from, to }) => at >= from && at <= to);
      const into = window === undefined ? 'nothing' : `${at - window.from} ms of the ${window.what}`;
      return `${new Date(at).toISOString()} ${what}, sent into ${into}`;
    }),
    during: latencyOf(during),
    outside: latencyOf(outside),
  };
}

function latencyOf(milliseconds: readonly number[]): Latency {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  return {
    requests: sorted.length,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
  };
}
