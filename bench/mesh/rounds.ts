/**
 * Rounds of load: what one was answered with, and what it cost, on each of several targets in turn.
 *
 * A round is a number of requests and not a time, so that every one that was sent is answered, and counted
 * at both ends. The number is what the target did before in the time that a round should take.
 *
 * @module
 */

import { availableParallelism } from 'node:os';
import { TokenmeshError } from '../../errors/error.ts';
import { TABLES } from '../../local/aws/resources.ts';
import { cpuOf, differences, machineBusyMicroseconds } from './cpu.ts';
import type { LoadResult } from './generator.ts';
import type { LoadGenerator } from './load-generator.ts';
import { BATCH_ITEMS, operationOf, type OperationName } from './operations.ts';
import type { DynamodbCounts, TableCounts } from './stores.ts';
import type { Target } from './target.ts';

/** Tokens that detokenize asks for, again and again: nothing of a record is cached. */
const KNOWN_TOKENS = 1_000;

export interface Round {
  readonly target: string;
  readonly store: string;
  readonly operation: OperationName;
  readonly connections: number;
  readonly requests: number;
  readonly tokens: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the whole machine: what went to none of these processes. */
  readonly otherWork: number;
  /** By process: `app`, `caller`, `listener` (the Envoys), `store`, `kms`, `generator`. */
  readonly cpuMicroseconds: Readonly<Record<string, number>>;
  readonly dynamodbCalls: Readonly<Record<string, number>>;
  readonly kmsCalls: Readonly<Record<string, number>>;
  /** All tables together, in billing units. */
  readonly writeUnits: number;
  readonly readUnits: number;
  /** What the stub counted; undefined where the store is not the stub, or the app stores nothing. */
  readonly recordsWritten?: number;
}

export interface Load {
  readonly operation: OperationName;
  readonly connections: number;
  readonly tokens: readonly string[];
}

export interface Measuring {
  readonly generator: LoadGenerator;
  /** Called after each round. */
  readonly afterRound: (round: Round) => void;
}

/** Requests a second, of loads that a target had before. */
export type KnownRates = Map<string, number>;

export interface ComparisonPlan {
  readonly rounds: number;
  readonly seconds: number;
  /** For how long a load goes on before it is measured. */
  readonly warmSeconds: number;
}

export interface Contender {
  readonly target: Target;
  readonly load: Load;
}

/** Each contender in turn, as many times as there are rounds. */
export async function compare(
  measuring: Measuring,
  contenders: readonly Contender[],
  plan: ComparisonPlan,
): Promise<Round[]> {
  const rounds: Round[] = [];
  const rates: number[] = [];
  for (const { target, load } of contenders) {
    rates.push(await warm(measuring, target, load, plan.warmSeconds));
  }
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const [index, { target, load }] of contenders.entries()) {
      const amount = amountFor(rates[index] ?? 1, plan.seconds, load.connections);
      rounds.push(await measure(measuring, target, load, amount));
    }
  }
  return rounds;
}

/** Doubles the load until it goes on for long enough. @returns Requests a second. */
export async function warm(
  { generator }: Measuring,
  target: Target,
  load: Load,
  seconds: number,
): Promise<number> {
  for (let amount = load.connections; ; amount *= 2) {
    const result = checked(target, load, amount, await generator.run(orderFor(target, load, amount)));
    if (result.seconds >= seconds) return amount / result.seconds;
  }
}

/** A share for each connection, and one at least. */
export function amountFor(rate: number, seconds: number, connections: number): number {
  return connections * Math.max(1, Math.round((rate * seconds) / connections));
}

export async function measure(
  { generator, afterRound }: Measuring,
  target: Target,
  load: Load,
  amount: number,
): Promise<Round> {
  const { operation, connections } = load;
  const { items, caller } = operationOf(operation);
  const { store } = target;
  const pids = {
    app: target.pids['app'] ?? 0,
    caller: target.pids[`envoy-${caller}`] ?? 0,
    listener: target.pids['envoy-tokenizer'] ?? 0,
    ...(store.pid === undefined ? {} : { store: store.pid }),
    kms: store.kms.pid,
    generator: generator.pid,
  };
  const before = { dynamodb: await store.counts(), kms: await store.kms.counts() };
  const machineBefore = { at: performance.now(), busy: machineBusyMicroseconds(), cpu: cpuOf(pids) };
  const result = checked(target, load, amount, await generator.run(orderFor(target, load, amount)));
  const cpuMicroseconds = differences(machineBefore.cpu, cpuOf(pids));
  const busy = machineBusyMicroseconds() - machineBefore.busy;
  const microsecondsGone = (performance.now() - machineBefore.at) * 1_000 * availableParallelism();
  const after = { dynamodb: await store.counts(), kms: await store.kms.counts() };
  const others = busy - Object.values(cpuMicroseconds).reduce((sum, each) => sum + each, 0);
  const counted = storeCounts(before.dynamodb, after.dynamodb);
  const round: Round = {
    target: target.name,
    store: store.name,
    ...{ operation, connections, requests: amount, tokens: amount * items },
    ...{ seconds: result.seconds, p50Ms: result.p50Ms, p99Ms: result.p99Ms },
    cpuMicroseconds,
    otherWork: Math.max(0, others) / microsecondsGone,
    kmsCalls: differences(before.kms.calls, after.kms.calls),
    ...counted,
  };
  requireStored(target, round);
  afterRound(round);
  return round;
}

type StoreCounts = Pick<Round, 'dynamodbCalls' | 'writeUnits' | 'readUnits' | 'recordsWritten'>;

function storeCounts(before: DynamodbCounts | undefined, after: DynamodbCounts | undefined): StoreCounts {
  if (before === undefined || after === undefined) return { dynamodbCalls: {}, writeUnits: 0, readUnits: 0 };
  const tokens = TABLES.tokens;
  return {
    dynamodbCalls: differences(before.calls, after.calls),
    writeUnits: overTables(after, 'writeUnits') - overTables(before, 'writeUnits'),
    readUnits: overTables(after, 'readUnits') - overTables(before, 'readUnits'),
    recordsWritten: (after.tables[tokens]?.records ?? 0) - (before.tables[tokens]?.records ?? 0),
  };
}

function overTables({ tables }: DynamodbCounts, name: keyof TableCounts): number {
  return Object.values(tables).reduce((total, table) => total + table[name], 0);
}

export function orderFor(target: Target, load: Load, amount: number): Parameters<LoadGenerator['run']>[0] {
  const { caller } = operationOf(load.operation);
  return { ...load, amount, url: 'http://tokenizer', socketPath: target.egressSockets[caller] };
}

/** A figure is of answers that were good, or there is none. */
function checked(target: Target, load: Load, amount: number, result: LoadResult): LoadResult {
  const good = (result.statuses['200']?.count ?? 0) + (result.statuses['201']?.count ?? 0);
  if (good === amount && result.errors === 0 && result.mismatches === 0) return result;
  const got = Object.entries(result.statuses).map(([status, { count }]) => `${count} times ${status}`);
  throw new TokenmeshError({
    code: 'ERR_BENCH_ANSWERS',
    message: `${load.operation} on ${target.name} was not answered well: expected ${amount} good answers, got ${got.join(', ')}, ${result.errors} connection errors, ${result.mismatches} batches with errors in them`,
    remedy: 'read the logs that are kept; a figure of refusals would say nothing',
  });
}

/** Every token that was handed out is in the table: a store that lost some would look fast. */
function requireStored(target: Target, { operation, tokens, recordsWritten }: Round): void {
  const stores = operation.startsWith('tokenize') && target.kind !== 'mesh-floor';
  if (!stores || recordsWritten === undefined || recordsWritten >= tokens) return;
  throw new TokenmeshError({
    code: 'ERR_BENCH_ANSWERS',
    message: `${target.name} handed out tokens that are not stored: expected ${tokens} records, got ${recordsWritten}`,
    remedy: 'find out why before anything else is measured',
  });
}

/** Tokens of a target, made through its Envoys. */
export async function makeTokens(target: Target, count = KNOWN_TOKENS): Promise<string[]> {
  const operation = operationOf('tokenize-batch-100');
  const tokens: string[] = [];
  while (tokens.length < count) {
    const { text } = await target.send(
      operation,
      operation.body(() => ''),
    );
    const { results = [] } = JSON.parse(text) as { results?: { token: string }[] };
    if (results.length !== BATCH_ITEMS) throw noTokens(target);
    tokens.push(...results.map(({ token }) => token));
  }
  return tokens;
}

function noTokens({ name }: Target): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_BENCH_ANSWERS',
    message: `${name} made no tokens: expected ${BATCH_ITEMS} for a batch`,
    remedy: 'read the logs that are kept',
  });
}
