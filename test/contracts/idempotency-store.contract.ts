import { describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { IdempotencyEntry, IdempotencyStore } from '../../sidecar/tokenizer/core/idempotency-store.ts';

/** What is there: found by trying to store another. */
const foundIn = async (store: IdempotencyStore, id: string): Promise<IdempotencyEntry | 'stored'> =>
  await store.insert(id, entry({ claim: 'finder' }), at(0));

const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 2) + seconds * 1000);

const entry = (change: Partial<IdempotencyEntry> = {}): IdempotencyEntry => ({
  request: 'request',
  claim: 'one',
  leaseUntil: at(35),
  results: [],
  expiresAt: at(100),
  ...change,
});

const RESULTS = [
  { token: 'a', createdAt: at(1) },
  null,
  { token: 'b', createdAt: at(2), expiresAt: at(9), format: 'pan', version: 1 },
];

/** What every {@link IdempotencyStore} does. */
export function describeIdempotencyStore(name: string, makeStore: () => IdempotencyStore): void {
  describe(`${name} keeps the contract of an idempotency store`, () => {
    it('stores an entry for one of many who try at once, and finds it as it was', async () => {
      const [store, id] = [makeStore(), randomUUID()];
      const outcomes = await Promise.all(
        Array.from({ length: 12 }, (_, index) => store.insert(id, entry({ claim: `task ${index}` }), at(0))),
      );
      expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(1);
      const winner = entry({ claim: `task ${outcomes.indexOf('stored')}` });
      expect(outcomes.filter((outcome) => outcome !== 'stored')).toEqual(
        Array.from({ length: 11 }, () => winner),
      );
    });

    it('keeps results, those that there are not among them, and no lease where there is none', async () => {
      const [store, id] = [makeStore(), randomUUID()];
      const { leaseUntil: _, ...rest } = entry({ results: RESULTS });
      await store.insert(id, rest, at(0));
      expect(await foundIn(store, id)).toEqual(rest);
    });

    it('has an entry up to the millisecond in which it expires, and then takes another', async () => {
      const [store, id] = [makeStore(), randomUUID()];
      await store.insert(id, entry(), at(0));
      const next = entry({ claim: 'two', expiresAt: at(200) });
      expect(await store.insert(id, next, new Date(at(100).getTime() - 1))).toEqual(entry());
      expect(await store.insert(id, next, at(100))).toBe('stored');
      expect(await foundIn(store, id)).toEqual(next);
    });

    it('replaces an entry for one of many who have seen the same', async () => {
      const [store, id] = [makeStore(), randomUUID()];
      await store.insert(id, entry(), at(0));
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, (_, index) => store.replace(id, entry({ claim: `task ${index}` }), 'one')),
      );
      expect(outcomes.filter((outcome) => outcome === 'replaced')).toHaveLength(1);
      expect(await foundIn(store, id)).toMatchObject({ claim: `task ${outcomes.indexOf('replaced')}` });
      expect(await store.replace(randomUUID(), entry(), 'one')).toBe('conflict');
    });

    it('removes an entry for who has it, and for nobody else', async () => {
      const [store, id] = [makeStore(), randomUUID()];
      await store.insert(id, entry(), at(0));
      await store.remove(id, 'two');
      expect(await foundIn(store, id)).toEqual(entry());
      await store.remove(id, 'one');
      await store.remove(id, 'one');
      expect(await foundIn(store, id)).toBe('stored');
    });
  });
}

/** What every {@link IdempotencyStore} does while it is down. */
export function describeIdempotencyStoreDown(name: string, makeStore: () => IdempotencyStore): void {
  it(`${name} says that it is not available while it is down`, async () => {
    const store = makeStore();
    const unavailable = { code: 'ERR_STORE_UNAVAILABLE' };
    await expect(store.insert('id', entry(), at(0))).rejects.toMatchObject(unavailable);
    await expect(store.replace('id', entry(), 'one')).rejects.toMatchObject(unavailable);
    await expect(store.remove('id', 'one')).rejects.toMatchObject(unavailable);
  });
}
