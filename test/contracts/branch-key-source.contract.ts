import { describe, expect, it } from '@jest/globals';
import type { BranchKeySource } from '../../sidecar/tokenizer/core/crypto/key-source.ts';

/** What every {@link BranchKeySource} does that has a key of the name `shop`, whose version was `older` once, and none of the name `nobody`. */
export function describeBranchKeySource(
  name: string,
  makeSource: () => Promise<{ source: BranchKeySource; older: string }>,
): void {
  const patience = 5_000;

  describe(`${name} keeps the contract of a source of branch keys`, () => {
    it('says which versions there are, the active one and the older', async () => {
      const { source, older } = await makeSource();
      const { isDestroyed, active, versions } = await source.describe('shop', patience);
      expect(isDestroyed).toBe(false);
      expect(versions.size).toBe(2);
      expect([versions.has(older), versions.has(active ?? ''), active === older]).toEqual([
        true,
        true,
        false,
      ]);
    });

    it('has no version of a key that was never made', async () => {
      const { source } = await makeSource();
      expect(await source.describe('nobody', patience)).toEqual({ isDestroyed: false, versions: new Set() });
    });

    it('gives the same key for the same version each time, and another for another', async () => {
      const { source, older } = await makeSource();
      const { active = '' } = await source.describe('shop', patience);
      const [one, again, other] = await Promise.all([
        source.fetch('shop', active),
        source.fetch('shop', active),
        source.fetch('shop', older),
      ]);
      expect(one?.symmetricKeySize).toBe(32);
      expect([one?.equals(again!), one?.equals(other!)]).toEqual([true, false]);
    });

    it('has nothing for a version that there is not', async () => {
      const { source } = await makeSource();
      expect(await source.fetch('shop', '00000000-0000-4000-8000-000000000000')).toBeUndefined();
    });
  });
}
