import { describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { TokenStore } from '../../sidecar/tokenizer/core/ports.ts';
import type { ReferenceStore } from '../../sidecar/tokenizer/core/reference-store.ts';
import { newToken, sampleRecord } from './token-store.contract.ts';

interface Stores {
  readonly references: ReferenceStore;
  /** Over the same records. */
  readonly store: TokenStore;
}

const newKey = () => ({ tenant: 'shop', reference: `customer-${randomUUID()}` });
const pointer = (tenant = 'shop') =>
  sampleRecord({ tenant, token: newToken(), kind: 'pointer', revision: 1 });

/** What every {@link ReferenceStore} does. */
export function describeReferenceStore(name: string, makeStores: () => Stores): void {
  describe(`${name} keeps the contract of a reference store`, () => {
    it('stores the record with the reference, and finds its token', async () => {
      const [{ references, store }, key, record] = [makeStores(), newKey(), pointer()];
      expect(await references.find(key)).toBeUndefined();
      expect(await references.point(key, record, undefined)).toBe('stored');
      expect(await references.find(key)).toBe(record.token);
      expect(await store.find(record)).toEqual(record);
    });

    it('lets one of many who have seen the same point it, and keeps no record of the others', async () => {
      const [{ references, store }, key] = [makeStores(), newKey()];
      const records = Array.from({ length: 8 }, () => pointer());
      const outcomes = await Promise.all(records.map((record) => references.point(key, record, undefined)));
      expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(1);
      const winner = records[outcomes.indexOf('stored')];
      expect(await references.find(key)).toBe(winner?.token);
      const found = await Promise.all(records.map((record) => store.find(record)));
      expect(found.filter((record) => record !== undefined)).toEqual([winner]);
    });

    it('points it elsewhere for who has seen where it leads, and for nobody else', async () => {
      const [{ references, store }, key] = [makeStores(), newKey()];
      const [first, second, third] = [pointer(), pointer(), pointer()];
      await references.point(key, first, undefined);
      expect(await references.point(key, third, newToken())).toBe('conflict');
      expect(await references.point(key, third, undefined)).toBe('conflict');
      expect(await references.point(key, second, first.token)).toBe('stored');
      expect(await references.find(key)).toBe(second.token);
      expect(await store.find(third)).toBeUndefined();
    });

    it('takes no token that another record has', async () => {
      const [{ references, store }, key, record] = [makeStores(), newKey(), pointer()];
      await store.insert(record);
      expect(await references.point(key, record, undefined)).toBe('conflict');
      expect(await references.find(key)).toBeUndefined();
    });

    it('keeps the references of two tenants apart', async () => {
      const [{ references }, key] = [makeStores(), newKey()];
      await references.point(key, pointer(), undefined);
      const other = { ...key, tenant: 'other' };
      expect(await references.find(other)).toBeUndefined();
      expect(await references.point(other, pointer('other'), undefined)).toBe('stored');
    });
  });
}

/** What every {@link ReferenceStore} does while it is down. */
export function describeReferenceStoreDown(name: string, makeStore: () => ReferenceStore): void {
  it(`${name} of references says that it is not available while it is down`, async () => {
    const unavailable = { code: 'ERR_STORE_UNAVAILABLE' };
    await expect(makeStore().find(newKey())).rejects.toMatchObject(unavailable);
    await expect(makeStore().point(newKey(), pointer(), undefined)).rejects.toMatchObject(unavailable);
  });
}
