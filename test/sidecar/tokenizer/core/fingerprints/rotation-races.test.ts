import { describe, expect, it } from '@jest/globals';
import { reindex } from '../../../../../sidecar/tokenizer/core/fingerprints/reindexing.ts';
import type { TokenRecord } from '../../../../../sidecar/tokenizer/core/ports.ts';
import { MemoryJobStore } from '../../../../fakes/memory-job-store.ts';
import { order, PAN, startVaultUnderTest } from '../../../../support/vault-under-test.ts';

const DETERMINISTIC = { fields: { card: { class: 'pan', value: PAN } }, kind: 'deterministic' };
const READING = { write: [1], read: [2, 1] };
const WRITING = { write: [1, 2], read: [2, 1] };
const DONE = { write: [2], read: [2] };

type VaultUnderTest = ReturnType<typeof startVaultUnderTest>;

/** Indexes records as they were seen, whatever became of them since. */
async function reindexed({ parts }: VaultUnderTest, records: readonly TokenRecord[]): Promise<void> {
  const audit = { record: () => Promise.resolve() };
  const pages = { page: () => Promise.resolve({ records }) };
  const jobs = new MemoryJobStore();
  await reindex({ vault: parts, pages, jobs, audit, holder: 'one', identity: 'tokenizer' }, 'shop');
}

describe('a value that is tokenized while its fingerprint key is rotated', () => {
  it.each(['deterministic', 'one-way'])(
    'keeps its %s token where the record was stored after the indexing had passed',
    async (kind) => {
      const under = startVaultUnderTest();
      const { store, fingerprints, vault } = under;
      const insert = store.insert.bind(store);
      store.insert = async (...asked) => {
        store.insert = insert;
        Object.assign(fingerprints.keys, WRITING);
        await reindexed(under, [...store.records.values()]);
        return await insert(...asked);
      };
      const { token } = await vault.tokenize(order, { ...DETERMINISTIC, kind });
      Object.assign(fingerprints.keys, DONE);
      expect((await vault.tokenize(order, { ...DETERMINISTIC, kind })).token).toBe(token);
      expect(store.records.size).toBe(1);
    },
  );

  it('is not given another token by an indexing that saw a record since deleted', async () => {
    const under = startVaultUnderTest();
    const { store, fingerprints, vault } = under;
    const first = await vault.tokenize(order, DETERMINISTIC);
    Object.assign(fingerprints.keys, WRITING);
    const seen = [...store.records.values()];
    await vault.delete(order, first);
    const second = await vault.tokenize(order, DETERMINISTIC);
    await reindexed(under, seen);
    expect((await vault.tokenize(order, DETERMINISTIC)).token).toBe(second.token);
    expect(store.records.size).toBe(1);
  });

  it('keeps what a task that is ahead claimed, seen by one that does not write the new version yet', async () => {
    const { fingerprints, vault } = startVaultUnderTest();
    const tokenized = () => vault.tokenize(order, { ...DETERMINISTIC, kind: 'one-way' });
    const { token } = await tokenized();
    for (const phase of [WRITING, READING, DONE]) {
      Object.assign(fingerprints.keys, phase);
      expect((await tokenized()).token).toBe(token);
    }
  });
});
