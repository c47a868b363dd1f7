import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { ResultStore } from '../../queue/ports.ts';
import type { ResultLine } from '../../queue/results.ts';

const LINES: readonly ResultLine[] = [
  { row: 101, token: 'tkn_one' },
  { row: 102, code: 'ERR_VALUE_INVALID', remedy: 'correct it, "as it is"\nsaid' },
];

/** What every {@link ResultStore} does, the fake like the real one. */
export function resultStoreContract(name: string, open: () => ResultStore): void {
  describe(`result store contract: ${name}`, () => {
    it('gives back the lines of a part as they were', async () => {
      const part = { load: randomUUID(), part: 2 };
      expect(await open().insert(part, LINES)).toBe('stored');
      expect(await open().read(part)).toEqual(LINES);
    });

    it('has a part once it is there, and not before', async () => {
      const part = { load: randomUUID(), part: 1 };
      expect(await open().has(part)).toBe(false);
      await open().insert(part, LINES);
      expect(await open().has(part)).toBe(true);
    });

    it('keeps the lines that were first', async () => {
      const part = { load: randomUUID(), part: 1 };
      await open().insert(part, LINES);
      expect(await open().insert(part, [{ row: 101, token: 'tkn_other' }])).toBe('exists');
      expect(await open().read(part)).toEqual(LINES);
    });

    it('stores one of several that come at once', async () => {
      const part = { load: randomUUID(), part: 1 };
      const writes = Array.from({ length: 4 }, () => open().insert(part, LINES));
      expect((await Promise.all(writes)).toSorted()).toEqual(['exists', 'exists', 'exists', 'stored']);
    });

    it('lists the parts of one load and no other, in order', async () => {
      const [load, other] = [randomUUID(), randomUUID()];
      for (const part of [1, 2, 10]) await open().insert({ load, part }, LINES);
      await open().insert({ load: other, part: 3 }, LINES);
      expect(await open().list(load)).toEqual([1, 2, 10]);
      expect(await open().list(randomUUID())).toEqual([]);
    });
  });
}
