import type { OperationName } from './operations.ts';
import type { Round } from './rounds.ts';
import { median, spread } from './statistics.ts';

/** The rounds of one load on one target, as medians. */
export interface Summary {
  readonly target: string;
  readonly store: string;
  readonly operation: OperationName;
  readonly connections: number;
  readonly rounds: number;
  readonly requestsPerSecond: number;
  readonly tokensPerSecond: number;
  /** Of the rate: how far the rounds lie apart, as a share of it. */
  readonly spread: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly otherWork: number;
  readonly cpuMicrosecondsPerToken: Readonly<Record<string, number>>;
}

export function summarize(rounds: readonly Round[]): Summary[] {
  const groups = Map.groupBy(
    rounds,
    (each) => `${each.store} ${each.operation} ${each.connections} ${each.target}`,
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : [summaryOf(first, group)];
  });
}

function summaryOf(first: Round, rounds: readonly Round[]): Summary {
  const of = (value: (round: Round) => number): number => median(rounds.map(value));
  const rates = rounds.map((round) => round.tokens / round.seconds);
  const { target, store, operation, connections } = first;
  return {
    ...{ target, store, operation, connections, rounds: rounds.length },
    requestsPerSecond: of((round) => round.requests / round.seconds),
    tokensPerSecond: median(rates),
    spread: spread(rates),
    p50Ms: of((round) => round.p50Ms),
    p99Ms: of((round) => round.p99Ms),
    otherWork: of((round) => round.otherWork),
    cpuMicrosecondsPerToken: Object.fromEntries(
      Object.keys(first.cpuMicroseconds).map((name) => [
        name,
        of((round) => (round.cpuMicroseconds[name] ?? 0) / round.tokens),
      ]),
    ),
  };
}

export interface Sought {
  readonly target: string;
  readonly operation: OperationName;
  readonly store?: string;
  readonly connections?: number;
}

/** @throws {RangeError} where that was not measured. */
export function find(summaries: readonly Summary[], sought: Sought): Summary {
  const found = summaries.find(
    (each) =>
      each.target === sought.target &&
      each.operation === sought.operation &&
      each.store === (sought.store ?? 'stub') &&
      (sought.connections === undefined || each.connections === sought.connections),
  );
  if (found === undefined) throw new RangeError(`${sought.operation} on ${sought.target} was not measured`);
  return found;
}
