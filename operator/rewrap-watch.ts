/**
 * Watches the tokenizer seal records anew. Watching and doing are apart: whoever stops watching stops
 * nothing.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises';
import ora from 'ora';
import { readRewrapProgress } from '../sidecar/tokenizer/adapters/dynamodb-rewrap-asks.ts';
import type { Table } from '../sidecar/tokenizer/adapters/dynamodb-batches.ts';
import type { RewrapAsk, RewrapAsks } from '../sidecar/tokenizer/core/rewrapping/ports.ts';
import { LEFT_KINDS, type RewrapProgress } from '../sidecar/tokenizer/core/rewrapping/progress.ts';

export interface WatchParts {
  readonly asks: RewrapAsks;
  readonly tokens: Table;
  readonly tenant: string;
}

const LOOK_EVERY_MS = 500;

/** Without a terminal a line stays, so that few are written. */
const PLAIN_LINE_EVERY_MS = 2_000;

/** A task looks every two seconds; one that died held the job for twenty. */
const TAKEN_UP_WITHIN_MS = 30_000;

/** @returns `'left'` where the user stopped watching; the work goes on. */
export async function watchRewrap(parts: WatchParts, ask: RewrapAsk): Promise<RewrapProgress | 'left'> {
  const leaving = new AbortController();
  const leave = (): void => leaving.abort();
  process.once('SIGINT', leave);
  const line = progressLine();
  try {
    return await untilDone(parts, ask, leaving.signal, line.show);
  } finally {
    line.end();
    process.off('SIGINT', leave);
  }
}

async function untilDone(
  { asks, tokens, tenant }: WatchParts,
  asked: RewrapAsk,
  signal: AbortSignal,
  show: (text: string) => void,
): Promise<RewrapProgress | 'left'> {
  let ask = asked;
  let seen = { text: '', at: Date.now() };
  while (!signal.aborted) {
    // In this order: one that is done is asked for no more, and its progress says so before.
    const there = await asks.find(tenant);
    const progress = await readRewrapProgress(tokens, tenant);
    if (progress?.ask === ask.id && progress.isDone) return progress;
    // A rotation meanwhile made it begin anew.
    ask = there ?? ask;
    const text = progress?.ask === ask.id ? shown(progress) : waitingFor(ask);
    if (text !== seen.text) seen = { text, at: Date.now() };
    const isIdle = Date.now() - Math.max(seen.at, ask.startAt.getTime()) > TAKEN_UP_WITHIN_MS;
    show(isIdle ? `${text}; no task goes on with it: npm run mesh -- status` : text);
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
  return 'left';
}

function waitingFor({ startAt }: RewrapAsk): string {
  const seconds = Math.ceil((startAt.getTime() - Date.now()) / 1000);
  return seconds > 0
    ? `waiting ${seconds} s until every task seals under the newest version`
    : 'waiting for a task to take it up';
}

/** What there is none of is left out. */
export function shown(progress: RewrapProgress): string {
  const { rows, records, codes, current, expired, overtaken, left } = progress;
  const counts: readonly (readonly [count: number, what: string])[] = [
    [codes, 'security codes too'],
    [current, 'under the newest version already'],
    [expired, 'expired'],
    [overtaken, 'changed by others meanwhile'],
    ...LEFT_KINDS.map((kind) => [left[kind].count, kind] as const),
  ];
  const others = counts.filter(([count]) => count > 0).map(([count, what]) => `, ${count} ${what}`);
  return `${rows} rows looked at: ${records} records sealed anew${others.join('')}`;
}

interface Line {
  readonly show: (text: string) => void;
  readonly end: () => void;
}

/** One line that changes where there is a terminal, and one now and then where there is none. */
function progressLine(): Line {
  if (process.stderr.isTTY && process.stderr.columns > 0) {
    const spinner = ora({ stream: process.stderr, discardStdin: false, hideCursor: false }).start();
    return { show: (text) => (spinner.text = text), end: () => spinner.stop() };
  }
  let last = { text: '', at: Number.NEGATIVE_INFINITY };
  const show = (text: string): void => {
    if (text === last.text || performance.now() - last.at < PLAIN_LINE_EVERY_MS) return;
    last = { text, at: performance.now() };
    process.stderr.write(`${text}\n`);
  };
  return { show, end: () => undefined };
}
