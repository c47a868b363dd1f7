import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mintToken, TOKEN_RANDOM_BYTES } from '../../sidecar/tokenizer/core/token.ts';
import type { TokenRecord, TokenStore } from '../../sidecar/tokenizer/core/ports.ts';

export function newToken(): string {
  return mintToken(randomBytes(TOKEN_RANDOM_BYTES));
}

export function sampleRecord(change: Partial<TokenRecord> = {}): TokenRecord {
  return {
    tenant: 'shop',
    token: newToken(),
    createdAt: new Date('2026-01-02T03:04:05.678Z'),
    fields: new Map([
      ['card', { class: 'pan', message: Uint8Array.of(1, 2, 3), searchable: true }],
      ['mail', { class: 'email', message: Uint8Array.of(4, 5) }],
    ]),
    ...change,
  };
}

/** What every {@link TokenStore} does. */
export function describeTokenStore(name: string, makeStore: () => TokenStore): void {
  describe(`${name} keeps the contract of a token store`, () => {
    it('finds a record as it was stored', async () => {
      const store = makeStore();
      const record = sampleRecord();
      expect(await store.insert(record)).toBe('stored');
      expect(plain(await store.find(record))).toEqual(plain(record));
    });

    it('keeps an expiry to the millisecond, and finds what has expired', async () => {
      const store = makeStore();
      const record = sampleRecord({ expiresAt: new Date('2026-01-02T03:04:05.679Z') });
      await store.insert(record);
      expect((await store.find(record))?.expiresAt).toEqual(record.expiresAt);
    });

    it('changes nothing under a token that is taken', async () => {
      const store = makeStore();
      const record = sampleRecord();
      await store.insert(record);
      expect(await store.insert({ ...record, createdAt: new Date(0) })).toBe('taken');
      expect((await store.find(record))?.createdAt).toEqual(record.createdAt);
    });

    it('puts a record in the place of one that has expired, and of no other, where it is told the time', async () => {
      const store = makeStore();
      const expiresAt = new Date('2026-01-03T00:00:00.001Z');
      const record = sampleRecord({ expiresAt });
      await store.insert(record);
      const next = { ...record, createdAt: new Date(0) };
      expect(await store.insert(next)).toBe('taken');
      expect(await store.insert(next, new Date(expiresAt.getTime() - 1))).toBe('taken');
      expect(await store.insert(next, expiresAt)).toBe('stored');
      expect((await store.find(record))?.createdAt).toEqual(next.createdAt);
      const lasting = sampleRecord();
      await store.insert(lasting);
      expect(await store.insert(lasting, new Date('2099-01-01'))).toBe('taken');
    });

    it('lets exactly one of two inserts have a token', async () => {
      const store = makeStore();
      const record = sampleRecord();
      const outcomes = await Promise.all([store.insert(record), store.insert(record)]);
      expect(outcomes.toSorted()).toEqual(['stored', 'taken']);
    });

    it('finds nothing under the token of another tenant', async () => {
      const store = makeStore();
      const record = sampleRecord();
      await store.insert(record);
      expect(await store.find({ ...record, tenant: 'other' })).toBeUndefined();
    });

    it('stores and finds many, in order, beyond what one call of a store takes', async () => {
      const store = makeStore();
      const records = Array.from({ length: 130 }, () => sampleRecord());
      expect(await store.insertMany(records)).toEqual(records.map(() => 'stored'));
      const found = await store.findMany(records);
      expect(found.map((each) => (typeof each === 'string' ? each : each.token))).toEqual(
        records.map((record) => record.token),
      );
    });

    it('finds a record for each of two equal keys, and none for an unknown one', async () => {
      const store = makeStore();
      const record = sampleRecord();
      await store.insert(record);
      const found = await store.findMany([record, sampleRecord(), record]);
      expect(found.map((each) => (typeof each === 'string' ? each : each.token))).toEqual([
        record.token,
        'missing',
        record.token,
      ]);
    });

    it('does nothing for an empty batch', async () => {
      const store = makeStore();
      expect(await store.insertMany([])).toEqual([]);
      expect(await store.findMany([])).toEqual([]);
    });

    it('removes a record once, and tells', async () => {
      const store = makeStore();
      const record = sampleRecord();
      await store.insert(record);
      expect(await store.remove(record)).toBe('removed');
      expect(await store.remove(record)).toBe('missing');
      expect(await store.find(record)).toBeUndefined();
    });

    it('keeps kind, format and revision', async () => {
      const store = makeStore();
      const record = sampleRecord({ kind: 'pointer', format: 'uuid', revision: 7 });
      await store.insert(record);
      expect(plain(await store.find(record))).toEqual(plain(record));
    });

    it('lets exactly one of many consume a one-time record, and leaves a tombstone', async () => {
      const store = makeStore();
      const record = sampleRecord({ kind: 'one-time' });
      await store.insert(record);
      const tombstone = { ...record, fields: new Map(), consumedAt: new Date('2026-01-03T00:00:00.001Z') };
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => store.consume(tombstone)));
      expect(outcomes.toSorted()).toEqual(['consumed', ...Array.from({ length: 7 }, () => 'gone')]);
      expect(plain(await store.find(record))).toEqual(plain(tombstone));
      expect((await store.findMany([record])).map((each) => typeof each)).toEqual(['object']);
    });

    it('consumes no record that is not there, and none that is not one-time', async () => {
      const store = makeStore();
      const record = sampleRecord();
      const consumedAt = new Date('2026-01-03T00:00:00.001Z');
      const tombstone = { ...record, kind: 'one-time', fields: new Map(), consumedAt } as const;
      expect(await store.consume(tombstone)).toBe('gone');
      expect(await store.find(record)).toBeUndefined();
      await store.insert(record);
      expect(await store.consume(tombstone)).toBe('gone');
      expect(plain(await store.find(record))).toEqual(plain(record));
    });

    it('lets exactly one of many replace a revision', async () => {
      const store = makeStore();
      const record = sampleRecord({ kind: 'pointer', revision: 1 });
      await store.insert(record);
      const next = { ...record, revision: 2 };
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => store.replace(next, 1)));
      expect(outcomes.toSorted()).toEqual([...Array.from({ length: 7 }, () => 'conflict'), 'replaced']);
      expect((await store.find(record))?.revision).toBe(2);
    });

    it('replaces no record that is not there, and none without a revision', async () => {
      const store = makeStore();
      const record = sampleRecord();
      expect(await store.replace({ ...record, kind: 'pointer', revision: 2 }, 1)).toBe('conflict');
      expect(await store.find(record)).toBeUndefined();
      await store.insert(record);
      expect(await store.replace({ ...record, kind: 'pointer', revision: 2 }, 1)).toBe('conflict');
      expect(plain(await store.find(record))).toEqual(plain(record));
    });

    it('keeps when a record was archived, and what it says of its security code', async () => {
      const store = makeStore();
      const at = new Date('2026-01-03T00:00:00.001Z');
      const record = sampleRecord({ archivedAt: at, code: { field: 'code', expiresAt: at } });
      await store.insert(record);
      expect(plain(await store.find(record))).toEqual(plain(record));
      const alone = sampleRecord({ fields: new Map(), code: { field: 'code', expiresAt: at } });
      await store.insert(alone);
      expect(plain(await store.find(alone))).toEqual(plain(alone));
    });

    it('archives and restores a record, and tells what it is then', async () => {
      const store = makeStore();
      const record = sampleRecord();
      const archivedAt = new Date('2026-01-03T00:00:00.001Z');
      expect(await store.archive(record, archivedAt)).toBe('unchanged');
      await store.insert(record);
      expect(await store.archive(record, undefined)).toBe('unchanged');
      const archived = await store.archive(record, archivedAt);
      expect(archived === 'unchanged' || plain(archived)).toEqual(plain({ ...record, archivedAt }));
      expect(await store.archive(record, new Date())).toBe('unchanged');
      expect(plain(await store.find(record))).toEqual(plain({ ...record, archivedAt }));
      const restored = await store.archive(record, undefined);
      expect(restored === 'unchanged' || plain(restored)).toEqual(plain(record));
      expect(plain(await store.find(record))).toEqual(plain(record));
    });

    it('neither replaces nor consumes what is archived', async () => {
      const store = makeStore();
      const archivedAt = new Date('2026-01-03T00:00:00.001Z');
      const pointer = sampleRecord({ kind: 'pointer', revision: 1, archivedAt });
      const once = sampleRecord({ kind: 'one-time', archivedAt });
      for (const record of [pointer, once]) await store.insert(record);
      expect(await store.replace({ ...pointer, revision: 2 }, 1)).toBe('conflict');
      expect(await store.consume({ ...once, fields: new Map(), consumedAt: archivedAt })).toBe('gone');
    });

    it('stores and finds security codes, and lets exactly one of many consume one', async () => {
      const store = makeStore();
      const expiresAt = new Date('2026-01-03T00:00:00.001Z');
      const codes = Array.from({ length: 30 }, () => ({
        tenant: 'shop',
        token: newToken(),
        field: 'code',
        message: Uint8Array.of(7, 8),
        expiresAt,
      }));
      expect(await store.insertCodes(codes)).toEqual(codes.map(() => 'stored'));
      const [code = codes[0]!, other = codes[1]!] = codes;
      const found = await store.findCode(code);
      expect({ ...found, message: [...(found?.message ?? [])] }).toEqual({ ...code, message: [7, 8] });
      expect(await store.find(code)).toBeUndefined();
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => store.consumeCode(code)));
      expect(outcomes.toSorted()).toEqual(['consumed', ...Array.from({ length: 7 }, () => 'gone')]);
      expect(await store.findCode(code)).toBeUndefined();
      expect(await store.findCode(other)).toBeDefined();
      expect(await store.insertCodes([])).toEqual([]);
    });

    it('is reachable', async () => {
      await expect(makeStore().checkReachable()).resolves.toBeUndefined();
    });
  });
}

/** What every {@link TokenStore} does that is down. */
export function describeTokenStoreDown(name: string, makeStore: () => TokenStore): void {
  describe(`${name} that is down keeps the contract of a token store`, () => {
    it('refuses single calls as unavailable', async () => {
      const store = makeStore();
      const record = sampleRecord();
      const unavailable = { code: 'ERR_STORE_UNAVAILABLE' };
      await expect(store.insert(record)).rejects.toMatchObject(unavailable);
      await expect(store.find(record)).rejects.toMatchObject(unavailable);
      await expect(store.remove(record)).rejects.toMatchObject(unavailable);
      await expect(store.consume(record)).rejects.toMatchObject(unavailable);
      await expect(store.replace(record, 1)).rejects.toMatchObject(unavailable);
      await expect(store.archive(record, new Date())).rejects.toMatchObject(unavailable);
      await expect(store.findCode(record)).rejects.toMatchObject(unavailable);
      await expect(store.consumeCode(record)).rejects.toMatchObject(unavailable);
      await expect(store.checkReachable()).rejects.toMatchObject(unavailable);
    });

    it('says of every item of a batch that it is unavailable', async () => {
      const store = makeStore();
      const records = [sampleRecord(), sampleRecord()];
      expect(await store.insertMany(records)).toEqual(['unavailable', 'unavailable']);
      expect(await store.findMany(records)).toEqual(['unavailable', 'unavailable']);
    });
  });
}

/** Bytes compare by value, whether a Buffer or not. */
function plain(record: TokenRecord | undefined): unknown {
  if (record === undefined) return undefined;
  const fields = [...record.fields].map(([name, field]) => [
    name,
    [field.class, field.searchable, ...field.message],
  ]);
  return { ...record, fields: Object.fromEntries(fields) as unknown };
}
