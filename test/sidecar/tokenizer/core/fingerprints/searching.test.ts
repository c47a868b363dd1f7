import { describe, expect, it } from '@jest/globals';
import { tokenizationMesh } from '../../../../../mesh/tokenization-mesh.ts';
import { createCedarPolicy } from '../../../../../sidecar/tokenizer/adapters/cedar-policy.ts';
import { compilePolicies } from '../../../../../sidecar/tokenizer/core/policy.ts';
import type { TokenRecord } from '../../../../../sidecar/tokenizer/core/ports.ts';
import { later, order, PAN, RECORD, startVaultUnderTest } from '../../../../support/vault-under-test.ts';

const policy = createCedarPolicy(compilePolicies(tokenizationMesh));

const QUERY = { class: 'pan', value: PAN };
const OTHER = { class: 'pan', value: '5555555555554444' };
const EXPIRED = later(61_000);

type VaultUnderTest = ReturnType<typeof startVaultUnderTest>;

function searchable(value: { readonly class: string; readonly value: string }, more: object = {}) {
  return { fields: { card: { ...value, searchable: true } }, format: 'pan', ...more };
}

/** What a small format does by chance: the next record is stored under a token that was another's. */
function storeNextUnder({ store }: VaultUnderTest, token: string): void {
  const insert = store.insert.bind(store);
  store.insert = async (record, ...more) => {
    store.insert = insert;
    store.records.delete(`${record.tenant}#${token}`);
    return await insert({ ...record, token }, ...more);
  };
}

describe('a search', () => {
  it.each(['random', 'deterministic'])(
    'does not find the token of an expired %s record that is another value by now',
    async (kind) => {
      const under = startVaultUnderTest();
      const { vault, clock, sealer } = under;
      const { token } = await vault.tokenize(order, searchable(QUERY, { kind, ttlSeconds: 60 }));
      clock.now = EXPIRED;
      const seal = sealer.seal.bind(sealer);
      sealer.seal = (bytes, context) => seal(bytes, { ...context, token });
      storeNextUnder(under, token);
      await vault.tokenize(order, searchable(OTHER));
      expect(await vault.search(order, QUERY)).toMatchObject({ tokens: [], isWhole: true });
      expect((await vault.isTokenized(order, QUERY)).isTokenized).toBe(false);
    },
  );

  it('finds a token of a small format whose value it is', async () => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, searchable(QUERY));
    expect((await vault.search(order, QUERY)).tokens).toEqual([token]);
  });

  it('says that there may be more where it did not look at every row', async () => {
    const { vault, store, clock } = startVaultUnderTest();
    const request = searchable(QUERY, { format: 'default', ttlSeconds: 60 });
    await Promise.all(Array.from({ length: 1_001 }, () => vault.tokenize(order, request)));
    clock.now = EXPIRED;
    store.findMany = (keys) => Promise.resolve(keys.map((): TokenRecord | 'missing' => 'missing'));
    expect(await vault.search(order, QUERY)).toMatchObject({ tokens: [], isWhole: false });
  });
});

describe('the question whether a token is in use', () => {
  it('is asked of the policy by class, and the policies that permit it are told to the audit', async () => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, RECORD);
    const { isValid, policyIds } = await vault.isValid(order, { token });
    expect([isValid, policyIds?.length]).toEqual([true, 1]);
  });

  it('is answered as of an unknown token where one of its classes may not be asked for', async () => {
    const { vault } = startVaultUnderTest({
      ...policy,
      decide: (asked) =>
        asked.operation === 'check-token' && asked.class === 'pan'
          ? { permitted: false, policyIds: [] }
          : policy.decide(asked),
    });
    const { token } = await vault.tokenize(order, RECORD);
    expect((await vault.isValid(order, { token })).isValid).toBe(false);
    const note = await vault.tokenize(order, { fields: { note: { class: 'text', value: 'call first' } } });
    expect((await vault.isValid(order, { token: note.token })).isValid).toBe(true);
  });
});
