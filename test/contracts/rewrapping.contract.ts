import { describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { SealedField, TokenRecord, TokenStore } from '../../sidecar/tokenizer/core/ports.ts';
import type {
  ResealStore,
  RewrapAsks,
  SealedRow,
  SealedRows,
} from '../../sidecar/tokenizer/core/rewrapping/ports.ts';
import { newToken, sampleRecord } from './token-store.contract.ts';

export interface RewrappingStores {
  readonly store: TokenStore;
  readonly reseal: ResealStore;
  readonly rows: SealedRows;
}

const AT = new Date('2026-01-03T00:00:00.001Z');

function newMessages(record: TokenRecord): ReadonlyMap<string, SealedField> {
  return new Map([...record.fields].map(([name, field]) => [name, { ...field, message: Uint8Array.of(9) }]));
}

const sampleCode = () => ({
  tenant: 'shop',
  token: newToken(),
  field: 'code',
  message: Uint8Array.of(7, 8),
  expiresAt: AT,
});

/** What every {@link ResealStore} does. */
export function describeResealStore(name: string, makeStores: () => RewrappingStores): void {
  describe(`${name} keeps the contract of a store that is sealed anew`, () => {
    it('puts new messages in the place of those that were read, and changes nothing else', async () => {
      const { store, reseal } = makeStores();
      const record = sampleRecord({ kind: 'pointer', revision: 3, expiresAt: AT, subject: 'someone' });
      await store.insert(record);
      const fields = newMessages(record);
      const resealed = await reseal.resealRecord(record, fields);
      expect(plainRecord(resealed)).toEqual(plainRecord({ ...record, fields }));
      expect(plainRecord(await store.find(record))).toEqual(plainRecord({ ...record, fields }));
    });

    it('keeps what was changed meanwhile beside the messages, and tells of it', async () => {
      const { store, reseal } = makeStores();
      const record = sampleRecord();
      await store.insert(record);
      await store.archive(record, AT);
      const fields = newMessages(record);
      const resealed = await reseal.resealRecord(record, fields);
      expect(plainRecord(resealed)).toEqual(plainRecord({ ...record, archivedAt: AT, fields }));
    });

    it('changes nothing where the record was replaced, used up or deleted meanwhile', async () => {
      const { store, reseal } = makeStores();
      const pointer = sampleRecord({ kind: 'pointer', revision: 1 });
      const once = sampleRecord({ kind: 'one-time' });
      const deleted = sampleRecord();
      for (const record of [pointer, once, deleted]) await store.insert(record);
      const next = { ...pointer, revision: 2, fields: newMessages(pointer) };
      const tombstone = { ...once, fields: new Map(), consumedAt: AT };
      await store.replace(next, 1);
      await store.consume(tombstone);
      await store.remove(deleted);
      for (const record of [pointer, once, deleted]) {
        expect(await reseal.resealRecord(record, newMessages(record))).toBe('changed');
      }
      expect(plainRecord(await store.find(pointer))).toEqual(plainRecord(next));
      expect(plainRecord(await store.find(once))).toEqual(plainRecord(tombstone));
      expect(await store.find(deleted)).toBeUndefined();
    });

    it('lets exactly one of many seal anew what all of them read', async () => {
      const { store, reseal } = makeStores();
      const record = sampleRecord();
      await store.insert(record);
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, () => reseal.resealRecord(record, newMessages(record))),
      );
      expect(outcomes.filter((outcome) => outcome !== 'changed')).toHaveLength(1);
    });

    it('seals a security code anew, and brings none back that was read meanwhile', async () => {
      const { store, reseal } = makeStores();
      const [code, read] = [sampleCode(), sampleCode()];
      await store.insertCodes([code, read]);
      expect(await reseal.resealCode(code, Uint8Array.of(9))).toBe('resealed');
      const found = await store.findCode(code);
      expect({ ...found, message: [...(found?.message ?? [])] }).toEqual({ ...code, message: [9] });
      expect(await reseal.resealCode(code, Uint8Array.of(6))).toBe('changed');
      await store.consumeCode(read);
      expect(await reseal.resealCode(read, Uint8Array.of(9))).toBe('changed');
      expect(await store.findCode(read)).toBeUndefined();
    });
  });

  describe(`${name} keeps the contract of rows that are sealed`, () => {
    it('shows each record and code of the tenant once, in pages of no more than was asked for', async () => {
      const { store, rows } = makeStores();
      const mine = Array.from({ length: 7 }, () => sampleRecord());
      const other = sampleRecord({ tenant: 'other' });
      const code = { ...sampleCode(), token: mine[0]?.token ?? '' };
      for (const record of [...mine, other]) await store.insert(record);
      await store.insertCodes([code]);
      const seen = await everyRow(rows, 3);
      const tokensOf = (kind: SealedRow['kind']) => seen.flatMap((row) => tokenIn(row, kind));
      expect(mine.map(({ token }) => tokensOf('record').filter((each) => each === token).length)).toEqual(
        mine.map(() => 1),
      );
      expect(tokensOf('code').filter((each) => each === code.token)).toHaveLength(1);
      expect(tokensOf('record')).not.toContain(other.token);
    });
  });
}

async function everyRow(rows: SealedRows, limit: number): Promise<SealedRow[]> {
  const seen: SealedRow[] = [];
  let cursor: string | undefined;
  do {
    const page = await rows.page('shop', cursor, limit);
    expect(page.rows.length).toBeLessThanOrEqual(limit);
    seen.push(...page.rows);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return seen;
}

function tokenIn(row: SealedRow, kind: SealedRow['kind']): string[] {
  if (row.kind !== kind) return [];
  return [row.kind === 'record' ? row.record.token : row.kind === 'code' ? row.code.token : row.key.token];
}

/** What every {@link RewrapAsks} does. */
export function describeRewrapAsks(name: string, makeAsks: () => RewrapAsks): void {
  describe(`${name} keeps the contract of what is asked for`, () => {
    it('finds what was put last, and nothing for another tenant', async () => {
      const [asks, tenant] = [makeAsks(), randomUUID()];
      expect(await asks.find(tenant)).toBeUndefined();
      const ask = { id: 'one', perSecond: 7, startAt: AT };
      await asks.put(tenant, ask);
      expect(await asks.find(tenant)).toEqual(ask);
      await asks.put(tenant, { ...ask, id: 'two', perSecond: 8 });
      expect(await asks.find(tenant)).toEqual({ ...ask, id: 'two', perSecond: 8 });
      expect(await asks.find(randomUUID())).toBeUndefined();
    });

    it('removes the one with the id, and no other', async () => {
      const [asks, tenant] = [makeAsks(), randomUUID()];
      const ask = { id: 'one', perSecond: 7, startAt: AT };
      await asks.remove(tenant, 'one');
      await asks.put(tenant, ask);
      await asks.remove(tenant, 'two');
      expect(await asks.find(tenant)).toEqual(ask);
      await asks.remove(tenant, 'one');
      expect(await asks.find(tenant)).toBeUndefined();
    });
  });
}

/** Bytes compare by value, whether a Buffer or not. */
function plainRecord(record: TokenRecord | 'changed' | undefined): unknown {
  if (record === undefined || record === 'changed') return record;
  const fields = [...record.fields].map(([name, field]) => [
    name,
    [field.class, field.searchable, ...field.message],
  ]);
  return { ...record, fields: Object.fromEntries(fields) as unknown };
}
