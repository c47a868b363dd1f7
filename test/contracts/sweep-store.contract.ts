import { describe, expect, it } from '@jest/globals';
import { minuteOf, shardOf, sweepBucketOf } from '../../sidecar/tokenizer/core/sweep-bucket.ts';
import type { ExpiredItem, SweepStore } from '../../sidecar/tokenizer/core/sweeping.ts';
import { newToken } from './token-store.contract.ts';

const NOW = new Date('2026-01-02T03:04:05.678Z');
const later = (ms: number): Date => new Date(NOW.getTime() + ms);

export interface SweepStoreUnderTest {
  /** Its pages must be smaller than seven items. */
  readonly makeStore: () => SweepStore;
  /** Stores the record of a token of the tenant `shop`. */
  readonly add: (token: string, expiresAt: Date) => Promise<void>;
}

/** What every {@link SweepStore} does. */
export function describeSweepStore(name: string, { makeStore, add }: SweepStoreUnderTest): void {
  const bucketOf = (token: string): string => sweepBucketOf(minuteOf(NOW), shardOf(`shop#${token}`));

  /** Of one shard. */
  async function addTogether(count: number, expiresAt: Date): Promise<string[]> {
    const tokens = [newToken()];
    while (tokens.length < count) {
      const token = newToken();
      if (bucketOf(token) === bucketOf(tokens[0] ?? '')) tokens.push(token);
    }
    for (const token of tokens) await add(token, expiresAt);
    return tokens;
  }

  async function itemOf(store: SweepStore, token: string, now = NOW): Promise<ExpiredItem | undefined> {
    for await (const page of store.expiredIn(bucketOf(token), now)) {
      const found = page.find(({ key }) => key?.token === token);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  describe(`${name} keeps the contract of a sweep store`, () => {
    it('finds an item from the millisecond of its expiry on, in its own bucket alone', async () => {
      const [store, token] = [makeStore(), newToken()];
      await add(token, later(1));
      expect(await itemOf(store, token)).toBeUndefined();
      const item = await itemOf(store, token, later(1));
      expect(item).toEqual({
        partition: `shop#${token}`,
        sortKey: 'record',
        expiresAt: later(1),
        key: { tenant: 'shop', token },
      });
      const next = sweepBucketOf(minuteOf(NOW) + 1, shardOf(`shop#${token}`));
      for await (const page of store.expiredIn(next, later(120_000))) expect(page).toEqual([]);
      if (item !== undefined) await store.removeExpired(item);
    });

    it('finds every item of a bucket, page by page, while those of earlier pages are removed', async () => {
      const store = makeStore();
      const tokens = await addTogether(7, later(-1));
      const found: string[] = [];
      let pages = 0;
      for await (const page of store.expiredIn(bucketOf(tokens[0] ?? ''), NOW)) {
        pages += 1;
        for (const item of page) {
          if (await isRemoved(store, item)) found.push(item.key?.token ?? '');
        }
      }
      expect(pages).toBeGreaterThan(1);
      expect(found).toEqual(expect.arrayContaining(tokens));
    });

    it('removes the item that was seen, once, and none whose expiry is another by now', async () => {
      const [store, token] = [makeStore(), newToken()];
      await add(token, NOW);
      const item = await itemOf(store, token);
      if (item === undefined) throw new Error('expected an item');
      expect(await store.removeExpired({ ...item, expiresAt: later(1) })).toBe('kept');
      expect(await store.removeExpired(item)).toBe('removed');
      expect(await store.removeExpired(item)).toBe('kept');
    });
  });
}

async function isRemoved(store: SweepStore, item: ExpiredItem): Promise<boolean> {
  return (await store.removeExpired(item)) === 'removed';
}
