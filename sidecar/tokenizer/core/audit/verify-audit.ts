import { createSecretKey } from 'node:crypto';
import { recordsIn } from './find-records.ts';
import { keyedBy } from './keyed.ts';
import type { AuditMac, AuditReader, StoredSeal, StoredSegment } from './ports.ts';
import { RowHistories } from './row-history.ts';
import { REFERENCE_KEY_MESSAGE } from './token-reference.ts';
import { verifyRows, type RowsParts, type RowsReport } from './verify-rows.ts';
import { sealMessage } from './seal.ts';
import { segmentKeyMessage } from './segment.ts';
import { ChainVerifier, type AuditProblem, type ChainReport } from './verify-chain.ts';
import { sealsToProve } from './verify-seals.ts';

export interface AuditVerification {
  /** Whether every chain is whole; not where there is none, since silence proves nothing. */
  readonly ok: boolean;
  readonly writers: readonly ChainReport[];
  readonly segments: number;
  readonly records: number;
  readonly unsealedSegments: number;
  readonly lastSealedAt?: string;
  readonly problems: readonly AuditProblem[];
  /** Left out where the rows of the vault were not looked at. */
  readonly rows?: RowsReport;
}

export interface VerifyingParts {
  readonly reader: AuditReader;
  readonly mac: AuditMac;
  /** The vault's own rows, to be held against the audit. @default the chains alone are verified */
  readonly vault?: Pick<RowsParts, 'rows' | 'now' | 'settle'>;
}

/**
 * Walks the chain of every writer, from its beginning to its end, and then the rows of the vault.
 *
 * @throws {AuditUnavailableError} where KMS cannot be asked: nothing is known then.
 */
export async function verifyAudit(parts: VerifyingParts): Promise<AuditVerification> {
  const writers: ChainReport[] = [];
  const histories = new RowHistories();
  for (const writer of await parts.reader.writers()) {
    writers.push(await verifyWriter(parts, writer, histories));
  }
  const rows = await rowsAgainst(parts, histories);
  const total = (count: (report: ChainReport) => number): number =>
    writers.reduce((sum, report) => sum + count(report), 0);
  const problems = writers.flatMap((report) => report.problems);
  const lastSealedAt = writers
    .flatMap((report) => report.lastSealedAt ?? [])
    .toSorted()
    .at(-1);
  return {
    ok: writers.length > 0 && problems.length === 0 && (rows?.problems ?? []).length === 0,
    writers,
    segments: total((report) => report.segments),
    records: total((report) => report.records),
    unsealedSegments: total((report) => report.unsealedSegments),
    ...(lastSealedAt === undefined ? {} : { lastSealedAt }),
    problems,
    ...(rows === undefined ? {} : { rows }),
  };
}

async function rowsAgainst(
  { reader, mac, vault }: VerifyingParts,
  histories: RowHistories,
): Promise<RowsReport | undefined> {
  if (vault === undefined) return undefined;
  const keyed = keyedBy(createSecretKey(await mac.macOf(REFERENCE_KEY_MESSAGE)));
  return await verifyRows({ ...vault, keyed, histories, readAgain: () => historiesIn(reader) });
}

async function historiesIn(reader: AuditReader): Promise<RowHistories> {
  const histories = new RowHistories();
  for (const writer of await reader.writers()) {
    for await (const row of reader.segments(writer)) takeAll(histories, writer, row);
  }
  return histories;
}

function takeAll(histories: RowHistories, writer: string, row: StoredSegment): void {
  for (const { record } of recordsIn(writer, row)) histories.take(writer, record);
}

async function verifyWriter(
  { reader, mac }: VerifyingParts,
  writer: string,
  histories: RowHistories,
): Promise<ChainReport> {
  const segmentKey = createSecretKey(await mac.macOf(segmentKeyMessage(writer)));
  const outside = await reader.keptOutside(writer);
  const seals = await reader.seals(writer);
  const forged = new Set<StoredSeal>();
  for (const seal of sealsToProve({ seals, outside })) {
    if (!(await mac.isMacOf(sealMessage(seal.body), seal.mac))) forged.add(seal);
  }
  const verifier = new ChainVerifier({ writer, segmentKey, outside, seals, forged });
  for await (const row of reader.segments(writer)) {
    verifier.take(row);
    takeAll(histories, writer, row);
  }
  return verifier.end();
}
