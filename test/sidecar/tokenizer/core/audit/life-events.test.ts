import { describe, expect, it } from '@jest/globals';
import { lifeEventsOf, type LifeEvent } from '../../../../../sidecar/tokenizer/core/audit/life-events.ts';
import type { AuditRecord } from '../../../../../sidecar/tokenizer/core/audit/record.ts';
import { createAudit } from '../../../../../sidecar/tokenizer/core/audit/audit.ts';
import { MemoryAuditLog } from '../../../../fakes/memory-audit-log.ts';
import { MemoryAuditMac } from '../../../../fakes/memory-audit-mac.ts';
import { EVENT } from '../../../../support/audit-under-test.ts';

const RECORD: AuditRecord = {
  at: '2026-03-04T05:06:07.008Z',
  identity: 'order.tokenmesh.internal',
  tenant: 'shop',
  operation: 'tokenize',
  outcome: 'ok',
  token: 'ref_abc',
};

const typesOf = (changes: Partial<AuditRecord>): string[] =>
  lifeEventsOf({ ...RECORD, ...changes }).map(({ type }) => type);

describe('the life events of an audit record', () => {
  it.each<[string, Partial<AuditRecord>, string[]]>([
    ['a record that is stored', { row: 'abc' }, ['Token Created']],
    ['a value that has its token already', {}, []],
    [
      'an upsert that stores the first version',
      { operation: 'upsert', row: 'abc', version: 1 },
      ['Token Created'],
    ],
    [
      'an upsert that stores a later one',
      { operation: 'upsert', row: 'abc', version: 2 },
      ['Token Replaced'],
    ],
    ['a reveal', { operation: 'detokenize' }, ['Token Revealed']],
    ['a reveal that takes a field away', { operation: 'detokenize', row: 'abc' }, ['Token Revealed']],
    ['a replacement', { operation: 'replace', row: 'abc' }, ['Token Replaced']],
    ['an archiving', { operation: 'archive', row: 'abc' }, ['Token Archived']],
    ['a restoring', { operation: 'restore', row: 'abc' }, ['Token Restored']],
    ['a deletion', { operation: 'delete', row: 'none' }, ['Token Deleted']],
    ['a sweep', { operation: 'sweep', row: 'none' }, ['Token Expired']],
    ['a deletion that is only begun', { operation: 'delete', outcome: 'begun' }, []],
    ['a reveal that is refused', { operation: 'detokenize', outcome: 'ERR_CLASS_DENIED' }, []],
    ['a question about a token', { operation: 'check-token' }, []],
    ['sealing anew', { operation: 'rewrap', row: 'abc' }, []],
  ])('of %s', (_what, changes, expected) => {
    expect(typesOf(changes)).toEqual(expected);
  });

  it('are none where no token is told', () => {
    const { token: _, ...without } = RECORD;
    expect(lifeEventsOf({ ...without, row: 'abc' })).toEqual([]);
  });

  it('tell who, for what and of which classes, and nothing of policies, rows and honey', () => {
    const record: AuditRecord = {
      ...RECORD,
      requestId: 'b0a9',
      operation: 'detokenize',
      purpose: 'payment',
      fields: [{ class: 'pan', form: 'masked' }],
      policies: ['paybill-plain'],
      row: 'abc',
      version: 3,
      until: '2027-01-01T00:00:00.000Z',
      honey: true,
    };
    expect(lifeEventsOf(record)).toEqual([
      {
        type: 'Token Revealed',
        at: RECORD.at,
        reference: 'ref_abc',
        tenant: 'shop',
        identity: 'order.tokenmesh.internal',
        requestId: 'b0a9',
        purpose: 'payment',
        fields: [{ class: 'pan', form: 'masked' }],
        version: 3,
        expiresAt: '2027-01-01T00:00:00.000Z',
      },
    ]);
  });
});

describe('an audit that tells life events', () => {
  function start() {
    const told: LifeEvent[] = [];
    const log = new MemoryAuditLog();
    const audit = createAudit({
      log,
      mac: new MemoryAuditMac(),
      now: () => EVENT.at,
      randomBytes: (count) => new Uint8Array(count),
      identity: 'tokenizer.tokenmesh.internal',
      onFault: () => undefined,
      lifeEvents: (events) => told.push(...events),
    });
    return { told, log, audit };
  }
  const deletion = {
    ...EVENT,
    operation: 'delete',
    outcome: 'ok',
    token: 'tkn_bcdfg',
    stored: 'removed',
  } as const;

  it('tells once a record is durable, by its reference', async () => {
    const { told, audit } = start();
    await audit.record([deletion]);
    expect(told).toEqual([expect.objectContaining({ type: 'Token Deleted' })]);
    expect(told[0]?.reference).toBe(await audit.referenceOf('tkn_bcdfg'));
  });

  it('tells nothing of what could not be recorded', async () => {
    const { told, log, audit } = start();
    log.isDown = true;
    await expect(audit.record([deletion])).rejects.toThrow();
    expect(told).toEqual([]);
  });
});
