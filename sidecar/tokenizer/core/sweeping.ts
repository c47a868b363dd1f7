/**
 * Removes what has expired, within minutes: reads are exact by themselves, and DynamoDB's own removal,
 * which may take two days, stays behind as the last resort.
 *
 * One task at a time does it. Two at once do no harm: each item is removed on the condition that it is
 * the one that was seen.
 *
 * @module
 */

import type { Audit } from './audit/audit.ts';
import { inParallel } from './in-parallel.ts';
import type { JobStore } from './jobs.ts';
import type { RecordKey } from './ports.ts';
import { minuteOf, SWEEP_SHARDS, sweepBucketOf } from './sweep-bucket.ts';

/** An item that had its time, of whatever sort. */
export interface ExpiredItem {
  readonly partition: string;
  readonly sortKey: string;
  readonly expiresAt: Date;
  /** Where it is the record of a token. */
  readonly key?: RecordKey;
}

export interface SweepStore {
  /**
   * Yields what is in a bucket and expired at `now` or before. An item that was changed just now may be missing.
   *
   * Must come in bounded pages, which stay right while what they hold is removed: however much expires in
   * one minute, no call and no list grows with it.
   *
   * @throws {StoreUnavailableError} when no answer came within the deadline, which is for each page.
   */
  expiredIn(bucket: string, now: Date): AsyncIterable<readonly ExpiredItem[]>;
  /** @returns `'kept'` where the item is gone, or has another expiry than was seen. */
  removeExpired(item: ExpiredItem): Promise<'removed' | 'kept'>;
}

export interface SweepingParts {
  readonly store: SweepStore;
  readonly jobs: JobStore;
  readonly audit: Pick<Audit, 'record'>;
  /** Of this task alone. */
  readonly holder: string;
  /** Who removes, in the audit: the service itself. */
  readonly identity: string;
  readonly now: () => Date;
  /** Whether the task is to end: then no further page is begun. @default never */
  readonly isStopping?: () => boolean;
}

export interface Swept {
  readonly items: number;
  /** How long ago the oldest of them expired; 0 where there were none. */
  readonly lagSeconds: number;
}

const NOTHING: Swept = { items: 0, lagSeconds: 0 };

const JOB = 'sweep';

/** A task that does not come back within this time has lost the job to another. */
const CLAIM_MS = 120_000;

/** How far back the first sweep of a table looks. What is older is DynamoDB's. */
const FIRST_LOOK_BACK_MINUTES = 10;

/** Minutes that are looked at again: clocks differ, and an index is a moment behind its table. */
const LOOKED_AT_AGAIN = 2;

/** Minutes after which the place is saved on the way, so that another task need not begin anew. */
const SAVE_EVERY_MINUTES = 30;

const SHARD_WIDTH = 4;
const REMOVE_WIDTH = 8;

/**
 * One sweep up to now.
 *
 * @returns `'busy'` where another task has the job. A sweep that was stopped gives the job back at the minute
 *   that it was at.
 * @throws {StoreUnavailableError} and {AuditUnavailableError}; what was not swept is next time.
 */
export async function sweep(parts: SweepingParts): Promise<Swept | 'busy'> {
  const { jobs, holder, now } = parts;
  const started = now();
  const until = (): Date => new Date(now().getTime() + CLAIM_MS);
  const claim = await jobs.claim(JOB, holder, started, until());
  if (claim === 'busy') return 'busy';
  const last = minuteOf(started);
  const save = async (minute: number, heldUntil = until()): Promise<'saved' | 'lost'> =>
    await jobs.save(JOB, holder, heldUntil, JSON.stringify({ minute }));
  const saved = placeIn(claim.progress);
  const first = saved ?? last - FIRST_LOOK_BACK_MINUTES;
  // So that nothing is passed over where this sweep fails and the next one comes late.
  if (saved === undefined) await save(first);
  let total: Swept = NOTHING;
  for (let minute = first; minute <= last; minute += 1) {
    total = sumOf(total, await sweepMinute(parts, minute, started));
    if (isStopping(parts)) {
      await save(Math.min(minute, last - LOOKED_AT_AGAIN), now());
      return total;
    }
    if (minute !== last && minute % SAVE_EVERY_MINUTES !== 0) continue;
    if ((await save(Math.min(minute + 1, last - LOOKED_AT_AGAIN))) === 'lost') return total;
  }
  return total;
}

async function sweepMinute(parts: SweepingParts, minute: number, now: Date): Promise<Swept> {
  const shards = Array.from({ length: SWEEP_SHARDS }, (_, shard) => shard);
  const swept = await inParallel(shards, SHARD_WIDTH, async (shard) => {
    let total: Swept = NOTHING;
    if (isStopping(parts)) return total;
    for await (const page of parts.store.expiredIn(sweepBucketOf(minute, shard), now)) {
      total = sumOf(total, await removeAll(parts, page, now));
      if (isStopping(parts)) break;
    }
    return total;
  });
  return swept.reduce(sumOf, NOTHING);
}

function isStopping(parts: SweepingParts): boolean {
  return parts.isStopping?.() === true;
}

/** What is removed is recorded, though another item of the page could not be. */
async function removeAll(parts: SweepingParts, expired: readonly ExpiredItem[], now: Date): Promise<Swept> {
  const failures: unknown[] = [];
  const outcomes = await inParallel(expired, REMOVE_WIDTH, async (item) => {
    try {
      return await parts.store.removeExpired(item);
    } catch (error) {
      failures.push(error);
      return 'kept';
    }
  });
  const removed = expired.filter((_, index) => outcomes[index] === 'removed');
  await recordRemoved(parts, removed);
  if (failures.length > 0) throw failures[0];
  const oldest = Math.min(now.getTime(), ...removed.map(({ expiresAt }) => expiresAt.getTime()));
  return { items: removed.length, lagSeconds: (now.getTime() - oldest) / 1000 };
}

async function recordRemoved(
  { audit, identity, now }: SweepingParts,
  removed: readonly ExpiredItem[],
): Promise<void> {
  const keys = removed.flatMap(({ key }) => (key === undefined ? [] : [key]));
  if (keys.length === 0) return;
  await audit.record(
    keys.map((key) => ({
      ...key,
      at: now(),
      identity,
      operation: 'sweep',
      outcome: 'ok',
      stored: 'removed',
    })),
  );
}

function sumOf(one: Swept, other: Swept): Swept {
  return { items: one.items + other.items, lagSeconds: Math.max(one.lagSeconds, other.lagSeconds) };
}

/** @returns Undefined for what no sweep saved: it then begins as the first one does. */
function placeIn(progress: string | undefined): number | undefined {
  if (progress === undefined) return undefined;
  const { minute } = JSON.parse(progress) as { minute?: unknown };
  return typeof minute === 'number' && Number.isSafeInteger(minute) ? minute : undefined;
}
