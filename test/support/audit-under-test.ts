import { createAudit } from '../../sidecar/tokenizer/core/audit/audit.ts';
import type { AuditEvent, AuditRecord } from '../../sidecar/tokenizer/core/audit/record.ts';
import { readSegmentBody } from '../../sidecar/tokenizer/core/audit/segment.ts';
import { verifyAudit } from '../../sidecar/tokenizer/core/audit/verify-audit.ts';
import { randomBytes } from 'node:crypto';
import { MemoryAuditLog } from '../fakes/memory-audit-log.ts';
import { MemoryAuditMac } from '../fakes/memory-audit-mac.ts';

export const AUDIT_START = new Date('2026-03-04T05:06:07.008Z');

export const EVENT: AuditEvent = {
  at: AUDIT_START,
  identity: 'order.tokenmesh.internal',
  tenant: 'shop',
  operation: 'tokenize',
  outcome: 'ok',
};

/** The audit over a log and a key in memory, with a clock that stands. */
export function startAuditUnderTest() {
  const log = new MemoryAuditLog();
  const mac = new MemoryAuditMac();
  const clock = { now: AUDIT_START };
  const faults: unknown[] = [];
  const audit = createAudit({
    log,
    mac,
    now: () => clock.now,
    randomBytes,
    identity: 'tokenizer.tokenmesh.internal',
    onFault: (error) => faults.push(error),
  });
  return {
    log,
    mac,
    clock,
    faults,
    audit,
    verify: () => verifyAudit({ reader: log, mac }),
    /** Of all writers, in the order in which they are stored. */
    records: async (): Promise<AuditRecord[]> => await recordsOf(log),
  };
}

async function recordsOf(log: MemoryAuditLog): Promise<AuditRecord[]> {
  const records: AuditRecord[] = [];
  for (const writer of await log.writers()) {
    for await (const row of log.segments(writer)) records.push(...(readSegmentBody(row.body)?.records ?? []));
  }
  return records;
}
