import { describe, expect, it } from '@jest/globals';
import { order, PAN, startVaultUnderTest } from '../../../../support/vault-under-test.ts';

const card = { class: 'pan', value: PAN };
const SEARCHABLE = { fields: { card: { ...card, searchable: true } } };
const DETERMINISTIC = { fields: { card }, kind: 'deterministic' };

describe('a deletion', () => {
  it.each([
    ['searchable', SEARCHABLE],
    ['deterministic', DETERMINISTIC],
  ])('of a %s record that was cut off at the index is finished by the next', async (_what, request) => {
    const { vault, store, fingerprints } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, request);
    fingerprints.index.isDown = true;
    await expect(vault.delete(order, { token })).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
    fingerprints.index.isDown = false;
    await vault.delete(order, { token });
    expect([store.records.size, fingerprints.index.rows.size]).toEqual([0, 0]);
  });

  it('that was cut off at the record is finished by the next', async () => {
    const { vault, store, fingerprints } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, SEARCHABLE);
    const remove = store.remove.bind(store);
    store.remove = () => Promise.reject(new Error('no answer'));
    await expect(vault.delete(order, { token })).rejects.toThrow('no answer');
    store.remove = remove;
    await vault.delete(order, { token });
    expect([store.records.size, fingerprints.index.rows.size]).toEqual([0, 0]);
  });
});

describe('a token that follows from its value', () => {
  it.each(['deterministic', 'one-way'])('is refused under the key of one subject: %s', async (kind) => {
    const { vault, store, fingerprints } = startVaultUnderTest();
    await expect(vault.tokenize(order, { ...DETERMINISTIC, kind, subject: 'anna' })).rejects.toMatchObject({
      code: 'ERR_FORMAT_UNFIT',
    });
    expect([store.records.size, fingerprints.index.rows.size]).toEqual([0, 0]);
  });
});

describe('a deletion of a one-way token', () => {
  const ONE_WAY = { ...DETERMINISTIC, kind: 'one-way' };

  it.each([
    ['before a rotation', [{}]],
    ['made while both versions are written', [{ write: [1, 2], read: [2, 1] }]],
    ['seen again since a rotation', [{}, { write: [2], read: [2, 1] }]],
    ['seen again in the midst of one', [{}, { write: [1, 2], read: [2, 1] }]],
    ['seen again since two', [{}, { write: [2], read: [2, 1] }, { write: [3], read: [3, 2] }]],
  ])('leaves no row under any version of the key: %s', async (_when, states) => {
    const { vault, store, fingerprints } = startVaultUnderTest();
    const tokens = new Set<string>();
    for (const state of states) {
      Object.assign(fingerprints.keys, state);
      tokens.add((await vault.tokenize(order, ONE_WAY)).token);
    }
    const [token = ''] = tokens;
    expect(tokens.size).toBe(1);
    await vault.delete(order, { token });
    expect([store.records.size, fingerprints.index.rows.size]).toEqual([0, 0]);
  });
});
