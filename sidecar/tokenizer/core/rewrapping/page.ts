/**
 * One page of the table: what is under older versions is sealed anew, and the audit told before and after.
 *
 * @module
 */

import type { Audit } from '../audit/audit.ts';
import type { AuditEvent, AuditOutcome } from '../audit/record.ts';
import type { BranchKeyDescription } from '../crypto/key-source.ts';
import { inParallel } from '../in-parallel.ts';
import type { RecordKey, TokenRecord } from '../ports.ts';
import { withLeft, LEFT_KINDS, type LeftKind, type RewrapProgress } from './progress.ts';
import type { ResealStore, SealedRow, SealedRows } from './ports.ts';
import { planOf, type Plan, type SealingAnewParts } from './sealing-anew.ts';

export interface PageParts extends SealingAnewParts {
  readonly rows: SealedRows;
  readonly reseal: ResealStore;
  readonly audit: Pick<Audit, 'record'>;
  /** Who does it, in the audit: the service itself. */
  readonly identity: string;
  /** What the audit says in place of a token. */
  readonly referenceOf: (token: string) => Promise<string>;
  readonly now: () => Date;
}

type Change = Extract<Plan, { readonly is: 'record' | 'code' }>;

/** What became of a row that was written: as it is now, or that somebody else changed it. */
interface Written {
  readonly change: Change;
  readonly at: Date;
  readonly outcome: TokenRecord | 'resealed' | 'changed';
}

const WIDTH = 8;
const DESCRIBE_PATIENCE_MS = 2_500;

/**
 * Does the page after the cursor of `progress`.
 *
 * @param begin - Saves that the page is begun. Called before anything is written, and not where nothing is.
 * @returns The progress after the page; `'lost'` where {@link begin} says so, with nothing written.
 */
export async function rewrapPage(
  parts: PageParts,
  tenant: string,
  progress: RewrapProgress,
  limit: number,
  begin: () => Promise<'saved' | 'lost'>,
): Promise<RewrapProgress | 'lost'> {
  const { rows, cursor } = await parts.rows.page(tenant, progress.cursor, limit);
  // Where a page was begun and not finished, the audit does not know what some of its rows are: all are
  // written again, so that it is told.
  const options = { now: parts.now(), isAllAnew: progress.isPageBegun, describe: describeOnce(parts) };
  const plans = await inParallel(rows, WIDTH, (row) => planOf(parts, row, options));
  const changes = plans.filter((plan) => plan.is === 'record' || plan.is === 'code');
  await tell(parts, unopenedIn(parts, plans));
  if (changes.length > 0 && (await begin()) === 'lost') return 'lost';
  const written = await writeAll(parts, changes);
  const { cursor: _, ...before } = progress;
  return {
    ...before,
    isPageBegun: false,
    ...countsAfter(progress, plans, written),
    left: await leftAfter(parts, progress, plans),
    isDone: cursor === undefined,
    ...(cursor === undefined ? {} : { cursor }),
  };
}

/** What is written is recorded, though another row of the page could not be. */
async function writeAll(parts: PageParts, changes: readonly Change[]): Promise<Written[]> {
  const records = changes.filter(({ is }) => is === 'record');
  await tell(
    parts,
    records.map((change) => eventOf(parts, change, parts.now(), 'begun')),
  );
  const failures: unknown[] = [];
  const written: Written[] = [];
  await inParallel(changes, WIDTH, async (change) => {
    try {
      const outcome = await write(parts, change);
      written.push({ change, at: parts.now(), outcome });
    } catch (error) {
      failures.push(error);
    }
  });
  await tell(
    parts,
    written.flatMap((each) => eventsAfter(parts, each)),
  );
  if (failures.length > 0) throw failures[0];
  return written;
}

/** No segment is written for nothing. */
async function tell({ audit }: PageParts, events: readonly AuditEvent[]): Promise<void> {
  if (events.length > 0) await audit.record(events);
}

async function write({ reseal }: PageParts, change: Change): Promise<Written['outcome']> {
  return change.is === 'record'
    ? await reseal.resealRecord(change.record, change.fields)
    : await reseal.resealCode(change.code, change.message);
}

/** A code that was read meanwhile is nobody's loss, and nothing was announced of it. */
function eventsAfter(parts: PageParts, { change, at, outcome }: Written): AuditEvent[] {
  if (outcome === 'resealed') return [eventOf(parts, change, at, 'ok')];
  if (outcome !== 'changed') return [{ ...eventOf(parts, change, at, 'ok'), stored: outcome }];
  return change.is === 'code' ? [] : [eventOf(parts, change, at, 'ERR_REWRAP_OVERTAKEN')];
}

function eventOf({ identity }: PageParts, change: Change, at: Date, outcome: AuditOutcome): AuditEvent {
  const { tenant, token } = change.is === 'record' ? change.record : change.code;
  const classes =
    change.is === 'code'
      ? (['cvv'] as const)
      : [...change.record.fields.values()].map((field) => field.class);
  const fields = classes.map((each) => ({ class: each }));
  return { at, identity, tenant, token, operation: 'rewrap', outcome, fields };
}

/** Those that somebody has to look at. What was destroyed on purpose is counted, and no news. */
function unopenedIn({ identity, now }: PageParts, plans: readonly Plan[]): AuditEvent[] {
  return plans.flatMap((plan) => {
    if (plan.is !== 'unopenable' && plan.is !== 'unreadable') return [];
    const { tenant, token } = keyOf(plan.row);
    const outcome = 'ERR_RECORD_UNOPENABLE';
    return [{ at: now(), identity, tenant, token, operation: 'rewrap' as const, outcome } as const];
  });
}

function countsAfter(progress: RewrapProgress, plans: readonly Plan[], written: readonly Written[]) {
  const planned = (is: Plan['is']): number => plans.filter((plan) => plan.is === is).length;
  const done = (is: Change['is']): number =>
    written.filter(({ change, outcome }) => change.is === is && outcome !== 'changed').length;
  return {
    rows: progress.rows + plans.length,
    records: progress.records + done('record'),
    codes: progress.codes + done('code'),
    current: progress.current + planned('current'),
    expired: progress.expired + planned('expired'),
    overtaken: progress.overtaken + written.filter(({ outcome }) => outcome === 'changed').length,
  };
}

async function leftAfter(
  { referenceOf }: PageParts,
  { left }: RewrapProgress,
  plans: readonly Plan[],
): Promise<RewrapProgress['left']> {
  const after: Record<LeftKind, RewrapProgress['left'][LeftKind]> = { ...left };
  for (const kind of LEFT_KINDS) {
    const tokens = plans.flatMap((plan) => (plan.is === kind ? [keyOf(plan.row).token] : []));
    after[kind] = withLeft(left[kind], await Promise.all(tokens.map(referenceOf)));
  }
  return after;
}

function keyOf(row: SealedRow): RecordKey {
  if (row.kind === 'record') return row.record;
  return row.kind === 'code' ? row.code : row.key;
}

function describeOnce({ versions }: PageParts): (id: string) => Promise<BranchKeyDescription> {
  const asked = new Map<string, Promise<BranchKeyDescription>>();
  return async (id) => {
    const answer = asked.get(id) ?? versions.describe(id, DESCRIBE_PATIENCE_MS);
    asked.set(id, answer);
    return await answer;
  };
}
