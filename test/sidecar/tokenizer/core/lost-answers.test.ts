import { expect, it } from '@jest/globals';
import { CARD, later, order, startVaultUnderTest } from '../../../support/vault-under-test.ts';

/** The store of a vault whose change is made, and whose answer is lost: what is sent again changes nothing. */
function loseAnswers({ store }: ReturnType<typeof startVaultUnderTest>): void {
  const archive = store.archive.bind(store);
  store.archive = async (key, archivedAt) => {
    await archive(key, archivedAt);
    return await archive(key, archivedAt);
  };
}

it('tells the row that is stored, though the answer was lost and the change was sent again', async () => {
  const under = startVaultUnderTest();
  const { vault, store, clock } = under;
  const { token } = await vault.tokenize(order, CARD);
  const before = store.records.get(`shop#${token}`);
  loseAnswers(under);
  const archived = await vault.archive(order, { token });
  expect(archived.archivedAt).toEqual(clock.now);
  expect(archived.stored).toEqual({ ...before, archivedAt: clock.now });
  const restored = await vault.restore(order, { token });
  expect(restored.archivedAt).toBeUndefined();
  expect(restored.stored).toEqual(before);
});

it('tells no row where the record was so before: nothing was changed', async () => {
  const { vault, clock } = startVaultUnderTest();
  const { token } = await vault.tokenize(order, CARD);
  expect((await vault.restore(order, { token })).stored).toBeUndefined();
  const { archivedAt } = await vault.archive(order, { token });
  clock.now = later(1_000);
  const again = await vault.archive(order, { token });
  expect([again.archivedAt, again.stored]).toEqual([archivedAt, undefined]);
});

it('tells that a record was removed, though the answer was lost and the removal was sent again', async () => {
  const { vault, store } = startVaultUnderTest();
  const { token } = await vault.tokenize(order, CARD);
  const remove = store.remove.bind(store);
  store.remove = async (key) => {
    await remove(key);
    return await remove(key);
  };
  expect((await vault.delete(order, { token })).stored).toBe('removed');
});

it('takes a replacement for its own whose answer was lost, with a version and without', async () => {
  const { vault, store } = startVaultUnderTest();
  const { token } = await vault.tokenize(order, { ...CARD, kind: 'pointer' });
  const replace = store.replace.bind(store);
  store.replace = async (record, revision) => {
    await replace(record, revision);
    return await replace(record, revision);
  };
  expect(await vault.replace(order, { token, ...CARD, version: 1 })).toMatchObject({ version: 2 });
  expect((await vault.replace(order, { token, ...CARD })).stored).toMatchObject({ revision: 3 });
  await expect(vault.replace(order, { token, ...CARD, version: 2 })).rejects.toMatchObject({
    code: 'ERR_VERSION_CONFLICT',
  });
});
