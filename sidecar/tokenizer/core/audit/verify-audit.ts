import { createSecretKey } from 'node:crypto';
import type { AuditMac, AuditReader, StoredSeal } from './ports.ts';
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
}

export interface VerifyingParts {
  readonly reader: AuditReader;
  readonly mac: AuditMac;
}

/**
 * Walks the chain of every writer, from its beginning to its end.
 *
 * @throws {AuditUnavailableError} where KMS cannot be asked: nothing is known then.
 */
export async function verifyAudit(parts: VerifyingParts): Promise<AuditVerification> {
  const writers: ChainReport[] = [];
  for (const writer of await parts.reader.writers()) writers.push(await verifyWriter(parts, writer));
  const total = (count: (report: ChainReport) => number): number =>
    writers.reduce((sum, report) => sum + count(report), 0);
  const problems = writers.flatMap((report) => report.problems);
  const lastSealedAt = writers
    .flatMap((report) => report.lastSealedAt ?? [])
    .toSorted()
    .at(-1);
  return {
    ok: writers.length > 0 && problems.length === 0,
    writers,
    segments: total((report) => report.segments),
    records: total((report) => report.records),
    unsealedSegments: total((report) => report.unsealedSegments),
    ...(lastSealedAt === undefined ? {} : { lastSealedAt }),
    problems,
  };
}

async function verifyWriter({ reader, mac }: VerifyingParts, writer: string): Promise<ChainReport> {
  const segmentKey = createSecretKey(await mac.macOf(segmentKeyMessage(writer)));
  const outside = await reader.keptOutside(writer);
  const seals = await reader.seals(writer);
  const forged = new Set<StoredSeal>();
  for (const seal of sealsToProve({ seals, outside })) {
    if (!(await mac.isMacOf(sealMessage(seal.body), seal.mac))) forged.add(seal);
  }
  const verifier = new ChainVerifier({ writer, segmentKey, outside, seals, forged });
  for await (const row of reader.segments(writer)) verifier.take(row);
  return verifier.end();
}
