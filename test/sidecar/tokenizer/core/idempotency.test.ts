import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import {
  createIdempotentVault,
  IDEMPOTENCY_LIFE_MS,
} from '../../../../sidecar/tokenizer/core/idempotency.ts';
import type { Policy } from '../../../../sidecar/tokenizer/core/policy.ts';
import type { Caller, ItemResult, Tokenized } from '../../../../sidecar/tokenizer/core/vault.ts';
import { createCedarPolicy } from '../../../../sidecar/tokenizer/adapters/cedar-policy.ts';
import { compilePolicies } from '../../../../sidecar/tokenizer/core/policy.ts';
import { tokenizationMesh } from '../../../../mesh/tokenization-mesh.ts';
import { MemoryAuditMac } from '../../../fakes/memory-audit-mac.ts';
import { MemoryIdempotencyStore } from '../../../fakes/memory-idempotency-store.ts';
import { CARD, later, order, paybill, startVaultUnderTest } from '../../../support/vault-under-test.ts';

const LEASE_MS = 35_000;
const IN_FLIGHT = { code: 'ERR_IDEMPOTENCY_IN_FLIGHT' };
const UNAVAILABLE = { code: 'ERR_STORE_UNAVAILABLE' };

/** The policy can be taken away. */
function setUp() {
  const inner = startVaultUnderTest();
  const mac = new MemoryAuditMac();
  const idempotency = new MemoryIdempotencyStore();
  const shipped = createCedarPolicy(compilePolicies(tokenizationMesh));
  const rights = { areGiven: true };
  const policy: Policy = {
    decide: (request) => (rights.areGiven ? shipped.decide(request) : { permitted: false, policyIds: [] }),
    permits: (request) => rights.areGiven && shipped.permits(request),
  };
  const vault = createIdempotentVault({
    ...{ vault: inner.vault, store: idempotency, policy, mac, randomBytes, leaseMs: LEASE_MS },
    now: () => inner.clock.now,
  });
  return { ...inner, mac, idempotency, rights, vault };
}

const sent = (key: string, body: unknown, caller: Caller = order): Caller => ({
  ...caller,
  idempotency: { key, body },
});
const once = sent('k', CARD);

const batch = (length: number) => Array.from({ length }, () => CARD);
const codes = (results: readonly ItemResult<Tokenized>[]): string[] =>
  results.map((each) => ('error' in each ? each.error.code : 'ok'));
const tokens = (results: readonly ItemResult<Tokenized>[]): (string | undefined)[] =>
  results.map((each) => ('error' in each ? undefined : each.result.token));

describe('a call with an idempotency key', () => {
  it('refuses to hand out what was put in the place of what it kept', async () => {
    const { vault, idempotency } = setUp();
    await vault.tokenize(once, CARD);
    await vault.tokenize(sent('other', CARD), CARD);
    const [[id, entry] = [], [, other] = []] = idempotency.entries;
    if (id === undefined || entry === undefined || other === undefined)
      throw new Error('expected two entries');
    for (const forged of [
      { ...entry, results: other.results },
      { ...entry, results: other.results, proof: other.proof ?? '' },
      { ...entry, expiresAt: later(2 * IDEMPOTENCY_LIFE_MS) },
    ]) {
      idempotency.entries.set(id, forged);
      await expect(vault.tokenize(once, CARD)).rejects.toMatchObject({ code: 'ERR_RECORD_UNOPENABLE' });
    }
    idempotency.entries.set(id, entry);
    expect((await vault.tokenize(once, CARD)).isReplayed).toBe(true);
  });

  it('keeps nothing of a security code, not even in a MAC', async () => {
    const { vault, idempotency } = setUp();
    const body = (value: string) => ({ fields: { code: { class: 'cvv', value } } });
    await vault.tokenize(sent('k', body('123')), body('123'));
    expect((await vault.tokenize(sent('k', body('987')), body('987'))).isReplayed).toBe(true);
    expect(idempotency.entries.size).toBe(1);
  });

  it('is done once, and answered alike each time, whatever the order of its members', async () => {
    const { vault, store } = setUp();
    const request = { ...CARD, ttlSeconds: 60, format: 'pan' };
    const first = await vault.tokenize(sent('k', { a: 1, b: [{ c: 2, d: 3 }] }), request);
    const again = await vault.tokenize(sent('k', { b: [{ d: 3, c: 2 }], a: 1 }), request);
    const { stored: _, ...answered } = first;
    expect(again).toEqual({ ...answered, isReplayed: true });
    expect(first.isReplayed).toBeUndefined();
    expect(store.records.size).toBe(1);
  });

  it('is done each time where it has no key', async () => {
    const { vault, store, idempotency } = setUp();
    await vault.tokenize(order, CARD);
    await vault.tokenize(order, CARD);
    expect([store.records.size, idempotency.entries.size]).toEqual([2, 0]);
  });

  it('refuses another body under the same key, and another route', async () => {
    const { vault } = setUp();
    await vault.tokenize(once, CARD);
    const reused = { code: 'ERR_IDEMPOTENCY_KEY_REUSED' };
    await expect(vault.tokenize(sent('k', { other: true }), CARD)).rejects.toMatchObject(reused);
    await expect(vault.tokenizeBatch(once, [CARD])).rejects.toMatchObject(reused);
  });

  it('is another call for another identity, another tenant and another key', async () => {
    const { vault, store } = setUp();
    const other = { ...order, identity: 'other.tokenmesh.internal' };
    const made = [
      await vault.tokenize(once, CARD),
      await vault.tokenize(sent('k2', CARD), CARD),
      await vault
        .tokenize(sent('k', CARD, { ...order, access: { tenants: ['bank'], grants: [] } }), {
          ...CARD,
          tenant: 'bank',
        })
        .catch((error: unknown) => error),
      await vault.tokenize(sent('k', CARD, other), CARD).catch((error: unknown) => error),
    ];
    expect(new Set(made.slice(0, 2).map((each) => (each as Tokenized).token)).size).toBe(2);
    // Both are refused by the policy, which knows neither: and not as calls that came before.
    expect(made.slice(2)).toMatchObject([{ code: 'ERR_CLASS_DENIED' }, { code: 'ERR_CLASS_DENIED' }]);
    expect(store.records.size).toBe(2);
  });

  it('is forgotten after 24 hours, to the millisecond', async () => {
    const { vault, clock } = setUp();
    const { token } = await vault.tokenize(once, CARD);
    clock.now = later(IDEMPOTENCY_LIFE_MS - 1);
    expect((await vault.tokenize(once, CARD)).token).toBe(token);
    clock.now = later(IDEMPOTENCY_LIFE_MS);
    expect((await vault.tokenize(once, CARD)).token).not.toBe(token);
  });

  it('keeps nothing of a key, a body or a value', async () => {
    const { vault, idempotency } = setUp();
    await vault.tokenize(sent('order-4111111111111111', CARD), CARD);
    const kept = JSON.stringify([...idempotency.entries]);
    expect(kept).not.toContain('4111');
    expect([...idempotency.entries.keys()]).toEqual([expect.stringMatching(/^[a-p]{64}$/)]);
  });

  it('asks for the key of its MACs once', async () => {
    const { vault, mac } = setUp();
    mac.isDown = true;
    await expect(vault.tokenize(once, CARD)).rejects.toMatchObject({ code: 'ERR_AUDIT_UNAVAILABLE' });
    mac.isDown = false;
    for (const key of ['a', 'b', 'c']) await vault.tokenize(sent(key, CARD), CARD);
    expect(mac.made).toBe(1);
  });

  it('refuses who has lost the right meanwhile, and never hands out what is kept', async () => {
    const { vault, rights } = setUp();
    await vault.tokenize(once, CARD);
    await vault.tokenizeBatch(sent('b', 1), batch(2));
    rights.areGiven = false;
    await expect(vault.tokenize(once, CARD)).rejects.toMatchObject({ code: 'ERR_CLASS_DENIED' });
    expect(codes(await vault.tokenizeBatch(sent('b', 1), batch(2)))).toEqual(
      Array.from({ length: 2 }, () => 'ERR_CLASS_DENIED'),
    );
    await expect(vault.tokenize(sent('k', CARD, paybill), CARD)).rejects.toMatchObject({
      code: 'ERR_CLASS_DENIED',
    });
  });
});

describe('many calls with one idempotency key at once', () => {
  it('are done by exactly one of a hundred; the others get its answer, or are told to wait', async () => {
    const { vault, store } = setUp();
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, () => vault.tokenize(once, CARD).catch((error: unknown) => error)),
    );
    const answered = outcomes.filter((each): each is Tokenized => !(each instanceof Error));
    const refused = outcomes.filter((each) => each instanceof Error);
    expect(answered.filter(({ isReplayed }) => isReplayed === undefined)).toHaveLength(1);
    expect(new Set(answered.map(({ token }) => token)).size).toBe(1);
    expect(refused.every((each) => (each as unknown as { code: string }).code === IN_FLIGHT.code)).toBe(true);
    expect(store.records.size).toBe(1);
  });

  it('are taken over by exactly one once the lease of a call that died is over', async () => {
    const { vault, idempotency, store, clock } = setUp();
    await vault.tokenize(once, CARD);
    const [[id, entry] = []] = [...idempotency.entries];
    if (id === undefined || entry === undefined) throw new Error('expected an entry');
    store.records.clear();
    // As the call that died left it.
    idempotency.entries.set(id, { ...entry, results: [], leaseUntil: later(LEASE_MS), claim: 'dead' });
    clock.now = later(LEASE_MS - 1);
    await expect(vault.tokenize(once, CARD)).rejects.toMatchObject(IN_FLIGHT);
    clock.now = later(LEASE_MS);
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => vault.tokenize(once, CARD)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
    expect(store.records.size).toBe(1);
  });

  it('are done where the client of the store sends a write again whose answer was lost', async () => {
    const { vault, idempotency, store, clock } = setUp();
    const insert = idempotency.insert.bind(idempotency);
    idempotency.insert = async (...entry) => {
      await insert(...entry);
      return await insert(...entry);
    };
    const { token } = await vault.tokenize(once, CARD);
    expect([...store.records.values()].map((record) => record.token)).toEqual([token]);
    const replace = idempotency.replace.bind(idempotency);
    idempotency.replace = async (...entry) => {
      await replace(...entry);
      return await replace(...entry);
    };
    for (const [id, entry] of idempotency.entries) {
      idempotency.entries.set(id, { ...entry, results: [], leaseUntil: later(LEASE_MS), claim: 'dead' });
    }
    clock.now = later(LEASE_MS);
    const { token: next } = await vault.tokenize(once, CARD);
    expect(await vault.tokenize(once, CARD)).toMatchObject({ token: next, isReplayed: true });
  });

  it('refuse a token to a call that was overtaken', async () => {
    const { vault, idempotency, store } = setUp();
    const insertMany = store.insertMany.bind(store);
    store.insertMany = async (records) => {
      for (const [id, entry] of idempotency.entries)
        idempotency.entries.set(id, { ...entry, claim: 'other' });
      return await insertMany(records);
    };
    await expect(vault.tokenize(once, CARD)).rejects.toMatchObject(IN_FLIGHT);
  });
});

describe('a call that failed', () => {
  it('as a whole leaves nothing that holds up the next', async () => {
    const { vault, store, idempotency } = setUp();
    store.isDown = true;
    await expect(vault.tokenize(once, CARD)).rejects.toMatchObject(UNAVAILABLE);
    await expect(vault.tokenizeBatch(sent('b', 1), batch(3))).rejects.toMatchObject(UNAVAILABLE);
    expect(idempotency.entries.size).toBe(0);
    store.isDown = false;
    expect((await vault.tokenize(once, CARD)).isReplayed).toBeUndefined();
  });

  it('hands out no token where its result could not be kept', async () => {
    const { vault, idempotency } = setUp();
    idempotency.replace = async () => await Promise.reject(Object.assign(new Error('down'), UNAVAILABLE));
    await expect(vault.tokenize(once, CARD)).rejects.toMatchObject(UNAVAILABLE);
  });

  it('by half is finished by the next: the stored half keeps its tokens, nothing is written twice', async () => {
    const { vault, store } = setUp();
    let isOdd = false;
    const written: string[] = [];
    const insertMany = store.insertMany.bind(store);
    store.insertMany = async (records) => {
      const outcomes = await insertMany(records);
      written.push(...records.filter((_, index) => outcomes[index] === 'stored').map(({ token }) => token));
      return outcomes;
    };
    store.lose = () => (isOdd = !isOdd);
    const call = sent('b', 1);
    const first = await vault.tokenizeBatch(call, batch(10));
    expect(codes(first)).toEqual(batch(10).map((_, index) => (index % 2 === 0 ? UNAVAILABLE.code : 'ok')));
    store.lose = () => false;
    const second = await vault.tokenizeBatch(call, batch(10));
    expect(codes(second)).toEqual(batch(10).map(() => 'ok'));
    const [before, after] = [tokens(first), tokens(second)];
    expect(after.filter((_, index) => index % 2 === 1)).toEqual(before.filter((each) => each !== undefined));
    expect(new Set(after).size).toBe(10);
    expect(second.map((each) => 'result' in each && each.result.isReplayed === true)).toEqual(
      batch(10).map((_, index) => index % 2 === 1),
    );
    expect(new Set(written)).toEqual(new Set(after));
    expect(tokens(await vault.tokenizeBatch(call, batch(10)))).toEqual(after);
    expect(written).toHaveLength(10);
  });

  it('by half answers what is there while the rest still fails', async () => {
    const { vault, store } = setUp();
    let lost = 0;
    store.lose = () => (lost += 1) === 1;
    const call = sent('b', 1);
    const [, kept] = tokens(await vault.tokenizeBatch(call, batch(2)));
    store.isDown = true;
    const again = await vault.tokenizeBatch(call, batch(2));
    expect(codes(again)).toEqual([UNAVAILABLE.code, 'ok']);
    expect(tokens(again)[1]).toBe(kept);
    store.isDown = false;
    expect(codes(await vault.tokenizeBatch(call, batch(2)))).toEqual(['ok', 'ok']);
  });

  it('is answered anew where it was refused, and keeps nothing of that', async () => {
    const { vault, idempotency } = setUp();
    const wrong = { fields: { card: { class: 'pan', value: '1' } } };
    await expect(vault.tokenize(sent('w', wrong), wrong)).rejects.toMatchObject({
      code: 'ERR_VALUE_INVALID',
    });
    expect(codes(await vault.tokenizeBatch(sent('x', 1), [wrong, wrong]))).toEqual([
      'ERR_VALUE_INVALID',
      'ERR_VALUE_INVALID',
    ]);
    expect(idempotency.entries.size).toBe(0);
    const call = sent('b', 1);
    const first = await vault.tokenizeBatch(call, [wrong, CARD]);
    const again = await vault.tokenizeBatch(call, [wrong, CARD]);
    expect([codes(first), tokens(again)]).toEqual([['ERR_VALUE_INVALID', 'ok'], tokens(first)]);
  });
});
