import { describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { FingerprintIndex, IndexRow } from '../../sidecar/tokenizer/core/fingerprints/ports.ts';

function sampleRow(change: Partial<IndexRow> = {}): IndexRow {
  return {
    partition: `shop#1#${randomUUID()}`,
    sortKey: 'claim#deterministic#default',
    sealedToken: Uint8Array.of(1, 2, 3),
    ...change,
  };
}

const bytes = (sealed: Uint8Array | 'claimed' | undefined): unknown =>
  sealed instanceof Uint8Array ? [...sealed] : sealed;

/** What every {@link FingerprintIndex} does. */
export function describeFingerprintIndex(name: string, makeIndex: () => FingerprintIndex): void {
  describe(`${name} keeps the contract of an index of fingerprints`, () => {
    it('lets exactly one of many claim a place, and tells the others what is there', async () => {
      const [index, row] = [makeIndex(), sampleRow()];
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, (_, each) => index.claim({ ...row, sealedToken: Uint8Array.of(each) })),
      );
      expect(outcomes.filter((outcome) => outcome === 'claimed')).toHaveLength(1);
      const winner = [outcomes.indexOf('claimed')];
      const others = outcomes.filter((outcome) => outcome !== 'claimed');
      expect(others.map(bytes)).toEqual(others.map(() => winner));
      expect(bytes(await index.find(row))).toEqual(winner);
    });

    it('puts rows whatever is there, finds them, and removes them', async () => {
      const index = makeIndex();
      const rows = Array.from({ length: 60 }, () => sampleRow());
      await index.put(rows);
      const again = rows.map((row) => ({ ...row, sealedToken: Uint8Array.of(9) }));
      await index.put(again);
      for (const row of rows.slice(0, 3)) expect(bytes(await index.find(row))).toEqual([9]);
      await index.remove([...rows, sampleRow()]);
      expect(await index.find(rows[0] ?? sampleRow())).toBeUndefined();
      await index.remove([]);
      await index.put([]);
    });

    it('takes a row that is named twice as one', async () => {
      const [index, row] = [makeIndex(), sampleRow()];
      await index.put([row, row]);
      expect(await index.list(row.partition, row.sortKey, 5)).toHaveLength(1);
      await index.remove([row, row]);
      expect(await index.find(row)).toBeUndefined();
    });

    it('lists the rows of one partition that begin so, up to a limit', async () => {
      const index = makeIndex();
      const { partition } = sampleRow();
      const rows = ['token#a', 'token#b', 'token#c', 'claim#x'].map((sortKey) =>
        sampleRow({ partition, sortKey }),
      );
      await index.put([...rows, sampleRow({ sortKey: 'token#z' })]);
      const sortKeys = async (limit: number) =>
        (await index.list(partition, 'token#', limit)).map(({ sortKey }) => sortKey);
      expect(await sortKeys(10)).toEqual(['token#a', 'token#b', 'token#c']);
      expect(await sortKeys(2)).toEqual(['token#a', 'token#b']);
      expect((await index.list(partition, 'claim#', 9)).map(({ sealedToken }) => [...sealedToken])).toEqual([
        [1, 2, 3],
      ]);
    });
  });
}
