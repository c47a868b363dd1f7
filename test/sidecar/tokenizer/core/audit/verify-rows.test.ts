import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { keyedBy } from '../../../../../sidecar/tokenizer/core/audit/keyed.ts';
import type { StoredRow } from '../../../../../sidecar/tokenizer/core/audit/ports.ts';
import { recordOf, type AuditEvent } from '../../../../../sidecar/tokenizer/core/audit/record.ts';
import { RowHistories } from '../../../../../sidecar/tokenizer/core/audit/row-history.ts';
import { verifyRows, type RowsReport } from '../../../../../sidecar/tokenizer/core/audit/verify-rows.ts';
import type { TokenRecord } from '../../../../../sidecar/tokenizer/core/ports.ts';
import { EVENT } from '../../../../support/audit-under-test.ts';
import { sampleRecord } from '../../../../contracts/token-store.contract.ts';

const keyed = keyedBy(createSecretKey(Buffer.alloc(32, 7)));
const START_MS = EVENT.at.getTime();

/** One record of the audit: who wrote it, how many milliseconds after the start, and what it says. */
type Written = readonly [writer: string, afterMs: number, event: Partial<AuditEvent>];

const stored = (record: TokenRecord): Partial<AuditEvent> => ({ token: record.token, stored: record });
const removed = ({ token }: TokenRecord): Partial<AuditEvent> => ({
  token,
  operation: 'delete',
  stored: 'removed',
});

function historiesOf(written: readonly Written[]): RowHistories {
  const histories = new RowHistories();
  for (const [writer, afterMs, event] of written) {
    const at = new Date(START_MS + afterMs);
    histories.take(writer, recordOf({ ...EVENT, at, ...event }, keyed));
  }
  return histories;
}

interface Seen {
  readonly audit: readonly Written[];
  /** What the audit says when it is read again. @default the same */
  readonly auditLater?: readonly Written[];
  readonly rows: readonly TokenRecord[];
  /** @default the same */
  readonly rowsLater?: readonly TokenRecord[];
  readonly nowMs?: number;
}

const rowOf = (record: TokenRecord): StoredRow => ({ key: record, record });

async function report({
  audit,
  auditLater = audit,
  rows,
  rowsLater = rows,
  nowMs = 60_000,
}: Seen): Promise<RowsReport> {
  return await verifyRows({
    keyed,
    histories: historiesOf(audit),
    readAgain: async () => historiesOf(auditLater),
    settle: async () => undefined,
    now: () => new Date(START_MS + nowMs),
    rows: {
      async *rows() {
        yield* rows.map(rowOf);
      },
      find: async ({ token }) => rowsLater.filter((row) => row.token === token).map(rowOf)[0],
    },
  });
}

const record = sampleRecord();
const pointer = sampleRecord({ kind: 'pointer', revision: 1 });
const second = { ...pointer, revision: 2 };

describe('rows held against the audit', () => {
  it('are right where each is as its last record says', async () => {
    const audit: Written[] = [
      ['a', 0, stored(record)],
      ['a', 1, stored(pointer)],
      ['a', 2, stored(second)],
    ];
    expect(await report({ audit, rows: [record, second] })).toEqual({
      checked: 2,
      unrecorded: 0,
      unsettled: 0,
      problems: [],
    });
  });

  it.each<[string, Seen]>([
    [
      'row-rolled-back',
      {
        audit: [
          ['a', 0, stored(pointer)],
          ['a', 1, stored(second)],
        ],
        rows: [pointer],
      },
    ],
    ['row-changed', { audit: [['a', 0, stored(record)]], rows: [{ ...record, fields: new Map() }] }],
    [
      'row-restored',
      {
        audit: [
          ['a', 0, stored(record)],
          ['a', 1, removed(record)],
        ],
        rows: [record],
      },
    ],
    ['row-missing', { audit: [['a', 0, stored(record)]], rows: [] }],
  ])('are told apart: %s', async (kind, seen) => {
    const { problems } = await report(seen);
    expect(problems.map((problem) => [problem.kind, problem.reference])).toEqual([
      [kind, keyed.token((seen.rows[0] ?? record).token)],
    ]);
  });

  it('are in the order of their revisions, whoever recorded one first', async () => {
    const audit: Written[] = [
      ['a', 9_000, stored(second)],
      ['b', 20_000, stored(pointer)],
    ];
    expect((await report({ audit, rows: [second] })).problems).toEqual([]);
    expect((await report({ audit, rows: [pointer] })).problems).toHaveLength(1);
  });

  it('may be either of two where the clocks of two tasks cannot tell which came last', async () => {
    const archived = { ...record, createdAt: new Date(START_MS + 5) };
    const close: Written[] = [
      ['a', 0, stored(record)],
      ['b', 1_500, stored(archived)],
    ];
    const apart: Written[] = [
      ['a', 0, stored(record)],
      ['b', 2_500, stored(archived)],
    ];
    for (const rows of [[record], [archived]])
      expect((await report({ audit: close, rows })).problems).toEqual([]);
    expect((await report({ audit: apart, rows: [record] })).problems).toHaveLength(1);
    expect((await report({ audit: apart.toReversed(), rows: [record] })).problems).toHaveLength(1);
  });

  it('may be gone once they have expired, and not before', async () => {
    const brief = sampleRecord({ expiresAt: new Date(START_MS + 1_000) });
    const audit: Written[] = [['a', 0, stored(brief)]];
    expect((await report({ audit, rows: [], nowMs: 1_000 })).problems).toEqual([]);
    expect((await report({ audit, rows: [], nowMs: 999 })).problems).toHaveLength(1);
  });

  it('are not judged where it is not known what came of a request', async () => {
    const begun: Written[] = [
      ['a', 0, stored(record)],
      ['a', 1, { token: record.token, operation: 'delete', outcome: 'begun' }],
    ];
    for (const rows of [[], [record]]) expect((await report({ audit: begun, rows })).problems).toEqual([]);
    expect((await report({ audit: begun, rows: [record] })).unsettled).toBe(1);
    const outage: Written = [
      'a',
      2,
      { token: record.token, operation: 'delete', outcome: 'ERR_STORE_UNAVAILABLE' },
    ];
    expect((await report({ audit: [...begun, outage], rows: [] })).problems).toEqual([]);
    const used: Written = [
      'a',
      1,
      { token: record.token, operation: 'detokenize', outcome: 'ERR_TOKEN_CONSUMED' },
    ];
    const other = { ...record, createdAt: new Date(0) };
    expect((await report({ audit: [['a', 0, stored(record)], used], rows: [other] })).problems).toEqual([]);
    const known: Written[] = [['a', 0, stored(record)], ['a', 1, stored(other)], used];
    expect((await report({ audit: known, rows: [record] })).problems).toHaveLength(1);
    const refused: Written = [
      'a',
      2,
      { token: record.token, operation: 'delete', outcome: 'ERR_CLASS_DENIED' },
    ];
    expect((await report({ audit: [...begun, refused], rows: [] })).problems).toHaveLength(1);
  });

  it('that were sealed anew may be what was done to them next, which the audit was told first', async () => {
    const anew = { ...record, fields: new Map([...record.fields].slice(1)) };
    const archived = { ...anew, archivedAt: new Date(START_MS + 10_050) };
    const rewrap = (afterMs: number, event: Partial<AuditEvent>): Written => [
      'a',
      afterMs,
      { token: record.token, operation: 'rewrap', ...event },
    ];
    const audit: Written[] = [
      ['a', 0, stored(record)],
      rewrap(10_000, { outcome: 'begun' }),
      ['a', 10_050, { ...stored(archived), operation: 'archive' }],
      rewrap(10_020, stored(anew)),
    ];
    expect(await report({ audit, rows: [archived] })).toMatchObject({ checked: 1, problems: [] });
    expect((await report({ audit, rows: [record] })).problems).toHaveLength(1);
    const begun = audit.slice(0, 2);
    expect(await report({ audit: begun, rows: [anew] })).toMatchObject({ unsettled: 1, problems: [] });
    const overtaken = rewrap(10_030, { outcome: 'ERR_REWRAP_OVERTAKEN' });
    expect((await report({ audit: [...begun, overtaken], rows: [anew] })).problems).toHaveLength(1);
    const ofCode = rewrap(10_030, { fields: [{ class: 'cvv' }] });
    expect(await report({ audit: [...begun, ofCode], rows: [anew] })).toMatchObject({ unsettled: 1 });
  });

  it('are counted, and are no problem, where the audit says nothing of them', async () => {
    expect(await report({ audit: [], rows: [record] })).toMatchObject({ unrecorded: 1, problems: [] });
  });

  it('are looked at again, since they change while they are read', async () => {
    const audit: Written[] = [['a', 0, stored(pointer)]];
    const auditLater: Written[] = [...audit, ['a', 1, stored(second)]];
    expect((await report({ audit, auditLater, rows: [second] })).problems).toEqual([]);
    const third = { ...pointer, revision: 3 };
    expect((await report({ audit, auditLater, rows: [second], rowsLater: [third] })).problems).toEqual([]);
    const deleted: Written[] = [...audit, ['a', 1, removed(pointer)]];
    expect((await report({ audit, auditLater: deleted, rows: [] })).problems).toEqual([]);
  });

  it('of two tenants do not get mixed up where both have one token', async () => {
    const other = { ...record, tenant: 'bank', createdAt: new Date(0) };
    const audit: Written[] = [
      ['a', 0, { ...stored(record), tenant: 'shop' }],
      ['a', 1, { ...stored(other), tenant: 'bank' }],
    ];
    expect((await report({ audit, rows: [record, other] })).problems).toEqual([]);
    expect((await report({ audit, rows: [record] })).problems).toHaveLength(1);
  });

  it('that are security codes may be there until they were shown, and not after', async () => {
    const shown: Written = [
      'a',
      1,
      { token: record.token, operation: 'detokenize', fields: [{ class: 'cvv', form: 'plain' }] },
    ];
    const masked: Written = [
      'a',
      1,
      { token: record.token, operation: 'detokenize', fields: [{ class: 'cvv', form: 'masked' }] },
    ];
    const kindsOf = async (audit: readonly Written[]) => {
      const { problems } = await verifyRows({
        keyed,
        histories: historiesOf(audit),
        readAgain: async () => historiesOf(audit),
        settle: async () => undefined,
        now: () => EVENT.at,
        rows: {
          async *rows() {
            yield rowOf(record);
            yield { key: record, record: 'security-code' as const };
          },
          find: async () => rowOf(record),
        },
      });
      return problems.map(({ kind }) => kind);
    };
    expect(await kindsOf([['a', 0, stored(record)], masked])).toEqual([]);
    expect(await kindsOf([['a', 0, stored(record)], shown])).toEqual(['row-restored']);
  });

  it('that cannot be read as a record are changed ones', async () => {
    const found = await verifyRows({
      keyed,
      histories: historiesOf([['a', 0, stored(record)]]),
      readAgain: async () => historiesOf([['a', 0, stored(record)]]),
      settle: async () => undefined,
      now: () => EVENT.at,
      rows: {
        async *rows() {
          yield { key: record, record: 'unreadable' as const };
        },
        find: async () => ({ key: record, record: 'unreadable' }),
      },
    });
    expect(found.problems.map(({ kind }) => kind)).toEqual(['row-changed']);
  });
});
