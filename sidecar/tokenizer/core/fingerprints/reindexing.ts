/**
 * Indexes what is stored under the newest version of a tenant's fingerprint key.
 *
 * It is the tokenizer's own work, since no operator may open records: whichever task claims the job goes
 * through the table page by page, and another goes on where it left off. Each row may be put again, so
 * nothing is lost or doubled where two believe for a moment that the job is theirs.
 *
 * @module
 */

import type { Audit } from '../audit/audit.ts';
import { RecordUnopenableError, SubjectShreddedError } from '../errors.ts';
import { inParallel } from '../in-parallel.ts';
import type { JobStore } from '../jobs.ts';
import type { TokenRecord } from '../ports.ts';
import type { VaultParts } from '../vault.ts';
import { partitionOf } from './fingerprint.ts';
import type { IndexRow } from './ports.ts';
import {
  entriesOf,
  isIndexed,
  openIndexed,
  requireFingerprints,
  type SearchableField,
} from './searchable.ts';
import { CLAIM_PREFIX, claimKey, sealToken } from './sealed-token.ts';
import type { VersionKeys } from './version-keys.ts';

export interface RecordPages {
  /** @returns Some records of all tenants, and where to go on; at the end there is no cursor. */
  page(
    cursor: string | undefined,
  ): Promise<{ readonly records: readonly TokenRecord[]; readonly cursor?: string }>;
}

export interface ReindexingParts {
  readonly vault: VaultParts;
  readonly pages: RecordPages;
  readonly jobs: JobStore;
  readonly audit: Pick<Audit, 'record'>;
  /** Of this task alone. */
  readonly holder: string;
  /** Who does it, in the audit: the service itself. */
  readonly identity: string;
}

/** How far it is, as everybody may see. */
export interface ReindexProgress {
  /** The version that is indexed under. */
  readonly version: number;
  readonly cursor?: string;
  /** Records looked through, and those of them that were indexed. */
  readonly records: number;
  readonly indexed: number;
  /** One-way records, which keep no value to be indexed by. */
  readonly oneWay: number;
  /** Records that did not open. */
  readonly unopenable: number;
  readonly isDone: boolean;
}

/** A task that does not save a page within this time has lost the job to another. */
const CLAIM_MS = 20_000;
const WIDTH = 8;

export function reindexJob(tenant: string): string {
  return `reindex#${tenant}`;
}

/**
 * Does what there is to do for one tenant, to the end.
 *
 * @returns `'busy'` where another task has the job, or has done it.
 */
export async function reindex(parts: ReindexingParts, tenant: string): Promise<ReindexProgress | 'busy'> {
  const { jobs, holder, vault } = parts;
  const job = reindexJob(tenant);
  const until = (): Date => new Date(vault.now().getTime() + CLAIM_MS);
  const newest = (await requireFingerprints(vault).keys.ringOf(tenant)).write.at(-1);
  if (newest === undefined) throw new Error('expected a version that is written');
  const claim = await jobs.claim(job, holder, vault.now(), until());
  if (claim === 'busy') return 'busy';
  let progress = progressIn(claim.progress, newest.version);
  if (progress.isDone) return 'busy';
  while (!progress.isDone) {
    progress = await indexPage(parts, tenant, newest, progress);
    if (progress.isDone) await recordDone(parts, tenant, progress);
    if ((await jobs.save(job, holder, until(), JSON.stringify(progress))) === 'lost') return 'busy';
  }
  return progress;
}

async function indexPage(
  { vault, pages }: ReindexingParts,
  tenant: string,
  newest: VersionKeys,
  progress: ReindexProgress,
): Promise<ReindexProgress> {
  const { records, cursor } = await pages.page(progress.cursor);
  const own = records.filter((record) => record.tenant === tenant && isIndexed(record));
  const rows = await inParallel(own, WIDTH, (record) => rowsOf(vault, record, newest));
  await putRows(
    vault,
    rows.flatMap((each) => (typeof each === 'string' ? [] : each)),
  );
  const { cursor: _, ...counts } = progress;
  const count = (what: string): number => rows.filter((each) => each === what).length;
  return {
    ...counts,
    records: progress.records + records.length,
    indexed: progress.indexed + rows.length - count('one-way') - count('unopenable'),
    oneWay: progress.oneWay + count('one-way'),
    unopenable: progress.unopenable + count('unopenable'),
    isDone: cursor === undefined,
    ...(cursor === undefined ? {} : { cursor }),
  };
}

/** What a value was claimed for while its record was on its way here counts: the record may be gone by now. */
async function putRows(vault: VaultParts, rows: readonly IndexRow[]): Promise<void> {
  const { index } = requireFingerprints(vault);
  await inParallel(rows.filter(isClaim), WIDTH, (row) => index.claim(row));
  await index.put(rows.filter((row) => !isClaim(row)));
}

async function rowsOf(
  vault: VaultParts,
  record: TokenRecord,
  newest: VersionKeys,
): Promise<IndexRow[] | 'one-way' | 'unopenable'> {
  if (record.kind === 'one-way') return 'one-way';
  try {
    return (await openIndexed(vault, record)).flatMap((field) => rowsOfField(vault, field, newest));
  } catch (error) {
    if (error instanceof RecordUnopenableError || error instanceof SubjectShreddedError) return 'unopenable';
    throw error;
  }
}

function rowsOfField({ randomBytes }: VaultParts, field: SearchableField, newest: VersionKeys): IndexRow[] {
  const { record, ...fingerprinted } = field;
  const isSearchable = [...record.fields.values()].some(({ searchable }) => searchable === true);
  const entries = isSearchable ? entriesOf([newest], field, randomBytes) : [];
  if (record.kind !== 'deterministic') return entries;
  const partition = partitionOf(newest, fingerprinted);
  const place = { partition, sortKey: claimKey(record.kind, record.format ?? 'default') };
  return [...entries, { ...place, sealedToken: sealToken(newest, place, record.token, randomBytes) }];
}

async function recordDone(
  { audit, identity, vault }: ReindexingParts,
  tenant: string,
  { indexed }: ReindexProgress,
): Promise<void> {
  await audit.record([
    { at: vault.now(), identity, tenant, operation: 'reindex', outcome: 'ok', count: indexed },
  ]);
}

/** What was saved for another version is done with. */
function progressIn(saved: string | undefined, version: number): ReindexProgress {
  const found = saved === undefined ? undefined : (JSON.parse(saved) as ReindexProgress);
  if (found?.version === version) return found;
  return { version, records: 0, indexed: 0, oneWay: 0, unopenable: 0, isDone: false };
}

/** Whether a row says which token a value has, and not only that it has this one. */
function isClaim({ sortKey }: IndexRow): boolean {
  return sortKey.startsWith(CLAIM_PREFIX);
}
