/**
 * Holds the rows of the vault against what the audit says that they are: the only way to notice that a
 * whole row was put back as it once was, or that one is gone.
 *
 * @module
 */

import type { RecordKey } from '../ports.ts';
import type { Keyed } from './record.ts';
import type { RowReader, StoredRow } from './ports.ts';
import { NO_ROW } from './row-digest.ts';
import { mustBeThere, referenceIn, rowName, type RowHistories, type RowHistory } from './row-history.ts';

export type RowProblemKind = 'row-rolled-back' | 'row-restored' | 'row-changed' | 'row-missing';

export interface RowProblem {
  readonly kind: RowProblemKind;
  /** To the token: `audit find` shows what is known of it. */
  readonly reference: string;
  readonly found: string;
}

export interface RowsReport {
  /** Rows that were held against the audit. */
  readonly checked: number;
  /** Rows that the audit says nothing of: stored while it could not be written, under tokens that nobody got. */
  readonly unrecorded: number;
  /** Rows of which it is not known what came of the last request, so that nothing can be said. */
  readonly unsettled: number;
  readonly problems: readonly RowProblem[];
}

export interface RowsParts {
  readonly rows: RowReader;
  readonly keyed: Keyed;
  readonly now: () => Date;
  /** As it was before any row was read. */
  readonly histories: RowHistories;
  /** Reads all of the audit again, as it is now. */
  readonly readAgain: () => Promise<RowHistories>;
  /** Waits until what was under way has its record. */
  readonly settle: () => Promise<void>;
}

/** In place of the digest: a code has no state but to be there. */
const SECURITY_CODE = 'security-code';

/** A row that is not what it should be, or the token of one that is not there. */
interface Suspect {
  /** {@link rowName} */
  readonly name: string;
  readonly key?: RecordKey;
  readonly digest: string;
}

/**
 * Rows change while this reads them. So whatever looks wrong is looked at again, once everything that was
 * under way has its record: a row that still is the same, and still is not what the audit says, is a problem.
 */
export async function verifyRows(parts: RowsParts): Promise<RowsReport> {
  const { histories } = parts;
  const seen = new Set<string>();
  const suspects: Suspect[] = [];
  const counts = { checked: 0, unrecorded: 0, unsettled: 0 };
  for await (const row of parts.rows.rows()) {
    const suspect = suspectOf(parts, row);
    const history = histories.of(suspect.name);
    if (suspect.digest === SECURITY_CODE) {
      if (history?.isCodeRead === true) suspects.push(suspect);
      continue;
    }
    seen.add(suspect.name);
    if (history === undefined) counts.unrecorded += 1;
    else if (history.isUnsettled) counts.unsettled += 1;
    else {
      counts.checked += 1;
      if (!isLatest(history, suspect.digest)) suspects.push(suspect);
    }
  }
  const started = parts.now();
  for (const [name, history] of histories) {
    if (!seen.has(name) && mustBeThere(history, started)) suspects.push({ name, digest: NO_ROW });
  }
  return { ...counts, problems: suspects.length === 0 ? [] : await confirm(parts, suspects) };
}

async function confirm(parts: RowsParts, suspects: readonly Suspect[]): Promise<RowProblem[]> {
  await parts.settle();
  const histories = await parts.readAgain();
  const problems: RowProblem[] = [];
  for (const suspect of suspects) {
    const history = histories.of(suspect.name);
    if (history === undefined || history.isUnsettled || isLatest(history, suspect.digest)) continue;
    if (suspect.digest === SECURITY_CODE) {
      problems.push(problemOf(suspect, history));
      continue;
    }
    const isGone = suspect.digest === NO_ROW;
    if (isGone ? mustBeThere(history, parts.now()) : await isStill(parts, suspect)) {
      problems.push(problemOf(suspect, history));
    }
  }
  return problems;
}

/** A row that changes meanwhile is in use, and is not what it was when the audit was read. */
async function isStill(parts: RowsParts, { key, digest }: Suspect): Promise<boolean> {
  const row = key === undefined ? undefined : await parts.rows.find(key);
  return row !== undefined && suspectOf(parts, row).digest === digest;
}

function suspectOf({ keyed }: RowsParts, { key, record }: StoredRow): Suspect & { readonly key: RecordKey } {
  return {
    name: rowName(key.tenant, keyed.token(key.token)),
    key,
    digest: typeof record === 'string' ? record : keyed.row(record),
  };
}

function isLatest({ latest }: RowHistory, digest: string): boolean {
  return latest.some(({ row }) => row === digest);
}

function problemOf({ name, digest }: Suspect, { latest, earlier }: RowHistory): RowProblem {
  const reference = referenceIn(name);
  if (digest === SECURITY_CODE) {
    return { kind: 'row-restored', reference, found: 'a security code that was read before' };
  }
  if (digest === NO_ROW)
    return { kind: 'row-missing', reference, found: 'no row, and no record of its removal' };
  if (latest.every(({ row }) => row === NO_ROW)) {
    return { kind: 'row-restored', reference, found: 'a row that was removed before' };
  }
  return earlier.has(digest)
    ? { kind: 'row-rolled-back', reference, found: 'a row as it was before it was changed last' }
    : { kind: 'row-changed', reference, found: 'a row that the vault did not write' };
}
