/**
 * Seals anew what is sealed under older versions of a tenant's branch keys, its subjects' among them.
 *
 * It is the tokenizer's own work, since no operator may open records: whichever task claims the job goes
 * through the table page by page, and another goes on where it left off. Two at once do no harm: a row is
 * changed only where its messages are those that were read.
 *
 * @module
 */

import type { JobStore } from '../jobs.ts';
import { rewrapPage, type PageParts } from './page.ts';
import { progressIn, rewrapJob, type RewrapProgress } from './progress.ts';
import type { RewrapAsk, RewrapAsks } from './ports.ts';

export interface RewrappingParts extends PageParts {
  readonly asks: RewrapAsks;
  readonly jobs: JobStore;
  /** Of this task alone. */
  readonly holder: string;
  /** Waits, and comes back sooner where the task is to end. */
  readonly pause: (ms: number) => Promise<void>;
  /** Whether the task is to end: then no further page is begun. */
  readonly isStopping: () => boolean;
}

/** A task that does not save a page within this time has lost the job to another. */
const CLAIM_MS = 20_000;

/** Rows of the table that are read at a time, whatever may be written in a second. */
const PAGE_ROWS = 200;

/**
 * Does what a tenant's operator asked for, to the end.
 *
 * @returns `'idle'` where nothing is asked for, or not yet; `'busy'` where another task has the job. What was
 *   stopped or lost on the way is not done.
 * @throws {StoreUnavailableError}, {KeyUnavailableError} and {AuditUnavailableError}; the page is next time.
 */
export async function rewrap(
  parts: RewrappingParts,
  tenant: string,
): Promise<RewrapProgress | 'idle' | 'busy'> {
  const { asks, jobs, holder, now } = parts;
  const ask = await asks.find(tenant);
  if (ask === undefined || ask.startAt > now()) return 'idle';
  const claim = await jobs.claim(rewrapJob(tenant), holder, now(), new Date(now().getTime() + CLAIM_MS));
  if (claim === 'busy') return 'busy';
  const progress = await toTheEnd(parts, tenant, progressIn(claim.progress, ask.id));
  // Last, so that it is asked for until it is known to be done.
  if (progress.isDone) await asks.remove(tenant, ask.id);
  return progress;
}

async function toTheEnd(
  parts: RewrappingParts,
  tenant: string,
  begun: RewrapProgress,
): Promise<RewrapProgress> {
  let progress = begun;
  while (!progress.isDone) {
    const ask = await parts.asks.find(tenant);
    if (ask?.id !== progress.ask || ask.startAt > parts.now()) return progress;
    const started = parts.now();
    const next = await pageOf(parts, tenant, progress, ask);
    if (next === 'lost') return progress;
    const written = writtenIn(next) - writtenIn(progress);
    progress = next;
    if (parts.isStopping()) return progress;
    if (!progress.isDone) await parts.pause(restOf(written, ask, started, parts.now()));
  }
  return progress;
}

/** The page may be saved twice: before its first write, and at its end. */
async function pageOf(
  parts: RewrappingParts,
  tenant: string,
  progress: RewrapProgress,
  { perSecond }: RewrapAsk,
): Promise<RewrapProgress | 'lost'> {
  const { jobs, holder, now, isStopping } = parts;
  const save = async (saved: RewrapProgress): Promise<'saved' | 'lost'> => {
    const heldMs = isStopping() && !saved.isPageBegun ? 0 : CLAIM_MS;
    const until = new Date(now().getTime() + heldMs);
    return await jobs.save(rewrapJob(tenant), holder, until, JSON.stringify(saved));
  };
  const limit = Math.min(PAGE_ROWS, perSecond);
  const next = await rewrapPage(parts, tenant, progress, limit, () =>
    save({ ...progress, isPageBegun: true }),
  );
  if (next === 'lost' || (await save(next)) === 'lost') return 'lost';
  return next;
}

function writtenIn({ records, codes }: RewrapProgress): number {
  return records + codes;
}

/** Until the rows that were written have had their time. */
function restOf(written: number, { perSecond }: RewrapAsk, started: Date, now: Date): number {
  return Math.max(0, (written / perSecond) * 1000 - (now.getTime() - started.getTime()));
}
