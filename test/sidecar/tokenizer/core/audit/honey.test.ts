import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { createAudit } from '../../../../../sidecar/tokenizer/core/audit/audit.ts';
import { latestRecords } from '../../../../../sidecar/tokenizer/core/audit/find-records.ts';
import type { AuditEvent } from '../../../../../sidecar/tokenizer/core/audit/record.ts';
import { AUDIT_START, EVENT } from '../../../../support/audit-under-test.ts';
import { MemoryAuditLog } from '../../../../fakes/memory-audit-log.ts';
import { MemoryAuditMac } from '../../../../fakes/memory-audit-mac.ts';

function setUp() {
  const log = new MemoryAuditLog();
  const references = new Set<string>();
  const uses: [AuditEvent, string][] = [];
  const audit = createAudit({
    log,
    mac: new MemoryAuditMac(),
    now: () => AUDIT_START,
    randomBytes,
    identity: 'tokenizer.tokenmesh.internal',
    onFault: () => undefined,
    honey: { has: (reference) => references.has(reference), onUse: (...use) => uses.push(use) },
  });
  const records = async () => (await latestRecords(log, 100)).map(({ record }) => record);
  return { audit, references, uses, records };
}

const REVEAL: AuditEvent = { ...EVENT, operation: 'detokenize', token: 'tkn_honey' };

describe('a honey token', () => {
  it('is told by its reference, raises the alarm at each use, and marks the record', async () => {
    const { audit, references, uses, records } = setUp();
    await audit.record([REVEAL]);
    references.add((await records())[0]?.token ?? '');
    await audit.record([
      { ...REVEAL, outcome: 'ERR_CLASS_DENIED' },
      { ...REVEAL, token: 'tkn_other' },
    ]);
    expect(uses.map(([{ outcome }]) => outcome)).toEqual(['ERR_CLASS_DENIED']);
    expect((await records()).map(({ honey }) => honey)).toEqual([undefined, true, undefined]);
  });

  it('raises no alarm for what names no token', async () => {
    const { audit, references, uses } = setUp();
    references.add('');
    await audit.record([EVENT]);
    expect(uses).toEqual([]);
  });
});
