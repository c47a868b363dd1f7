import { describe, expect, it } from '@jest/globals';
import { createAuditedVault } from '../../../../sidecar/tokenizer/core/audit/audited-vault.ts';
import type { Upserted } from '../../../../sidecar/tokenizer/core/vault.ts';
import { startAuditUnderTest } from '../../../support/audit-under-test.ts';
import {
  AUDIT_WORDS,
  CARD,
  later,
  order,
  PAN,
  paybill,
  START,
  startVaultUnderTest,
} from '../../../support/vault-under-test.ts';

const OTHER = { fields: { card: { class: 'pan', value: '5555555555554444' } } };
const CONFLICT = 'ERR_VERSION_CONFLICT';
const reference = 'customer-17';

const seen = async (vault: ReturnType<typeof startVaultUnderTest>['vault'], token: string) =>
  (await vault.detokenize(paybill, { token })).fields.get('card')?.value;

describe('an upsert by reference', () => {
  it('makes a pointer at first, and replaces what is behind it from then on', async () => {
    const { vault } = startVaultUnderTest();
    const made = await vault.upsert(order, { reference, ...CARD });
    expect(made).toMatchObject({ version: 1, createdAt: START, isNew: true });
    expect(await vault.describe(order, made)).toMatchObject({ kind: 'pointer', version: 1 });
    const replaced = await vault.upsert(order, { reference, ...OTHER });
    expect(replaced).toMatchObject({ token: made.token, version: 2, createdAt: START, isNew: false });
    expect(await seen(vault, made.token)).toBe('5555555555554444');
  });

  it('refuses to replace the record of another reference, wherever the reference is made to lead', async () => {
    const { vault, store, parts } = startVaultUnderTest();
    await vault.upsert(order, { reference, ...CARD });
    const { token } = await vault.upsert(order, { reference: 'another', ...OTHER });
    const key = { tenant: 'shop', token };
    const record = store.records.get(`shop#${token}`);
    if (record === undefined) throw new Error('expected a record');
    parts.references.find = async () => token;
    const refused = { code: 'ERR_RECORD_UNOPENABLE' };
    await expect(vault.upsert(order, { reference, ...CARD })).rejects.toMatchObject(refused);
    store.records.set(`shop#${token}`, { ...record, reference });
    await expect(vault.upsert(order, { reference, ...CARD })).rejects.toMatchObject(refused);
    expect((await store.find(key))?.revision).toBe(1);
  });

  it.each([{ version: 0 }, {}])('makes one where there is none: %j', async (wanted) => {
    const { vault } = startVaultUnderTest();
    const made = await vault.upsert(order, { reference, ...CARD, ...wanted });
    expect(made).toMatchObject({ version: 1, isNew: true });
  });

  it('refuses a version where there is none', async () => {
    const { vault, store } = startVaultUnderTest();
    await expect(vault.upsert(order, { reference, ...CARD, version: 1 })).rejects.toMatchObject({
      code: CONFLICT,
      message: 'the record has another version: expected 1, got 0',
    });
    expect(store.records.size).toBe(0);
  });

  it.each([0, 1, 3])('refuses version %s where 2 is there, which it tells', async (version) => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.upsert(order, { reference, ...CARD });
    await vault.upsert(order, { reference, ...CARD });
    await expect(vault.upsert(order, { reference, ...OTHER, version })).rejects.toMatchObject({
      code: CONFLICT,
      message: `the record has another version: expected ${version}, got 2`,
    });
    expect(await seen(vault, token)).toBe(PAN);
    const replaced = await vault.upsert(order, { reference, ...OTHER, version: 2 });
    expect(replaced).toMatchObject({ token, version: 3, isNew: false });
  });

  it('of many at once makes one token, which all get, and loses no change', async () => {
    const { vault, store } = startVaultUnderTest();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => vault.upsert(order, { reference, ...CARD })),
    );
    expect(outcomes.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(new Set(outcomes.map(({ token }) => token)).size).toBe(1);
    expect(new Set(outcomes.map(({ version }) => version)).size).toBe(20);
    expect(store.records.size).toBe(1);
  });

  it('of many at once that want to be the first makes one, and refuses the others', async () => {
    const { vault, store } = startVaultUnderTest();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () =>
        vault
          .upsert(order, { reference, ...CARD, version: 0 })
          .catch((error: { code: string }) => error.code),
      ),
    );
    expect(outcomes.filter((each) => each === CONFLICT)).toHaveLength(19);
    expect(store.records.size).toBe(1);
  });

  it('makes another token once the one behind it was deleted or has expired', async () => {
    const { vault, clock } = startVaultUnderTest();
    const first = await vault.upsert(order, { reference, ...CARD, ttlSeconds: 60 });
    clock.now = later(59_999);
    const second = await vault.upsert(order, { reference, ...CARD, ttlSeconds: 600 });
    expect(second).toMatchObject({ token: first.token, expiresAt: later(60_000) });
    clock.now = later(60_000);
    const third = await vault.upsert(order, { reference, ...CARD });
    expect(third).toMatchObject({ version: 1, isNew: true });
    expect(third.token).not.toBe(first.token);
    await vault.delete(order, third);
    const fourth = await vault.upsert(order, { reference, ...CARD, version: 0 });
    expect(fourth).toMatchObject({ version: 1, isNew: true });
    expect(fourth.token).not.toBe(third.token);
  });

  it('is of a tenant, and refuses who may not tokenize there', async () => {
    const { vault, store } = startVaultUnderTest();
    const [shop, bank] = [
      await vault.upsert(order, { reference, ...CARD }),
      await vault.upsert(order, { reference, ...CARD, tenant: 'bank' }),
    ];
    expect(shop.token).not.toBe(bank.token);
    await expect(vault.upsert(order, { reference, ...CARD, tenant: 'x' })).rejects.toMatchObject({
      code: 'ERR_TENANT_DENIED',
    });
    await expect(vault.upsert(paybill, { reference, ...OTHER })).rejects.toMatchObject({
      code: 'ERR_CLASS_DENIED',
    });
    expect(store.records.size).toBe(2);
    expect(await seen(vault, shop.token)).toBe(PAN);
  });

  it('refuses to replace what is archived', async () => {
    const { vault } = startVaultUnderTest();
    const made = await vault.upsert(order, { reference, ...CARD });
    await vault.archive(order, made);
    await expect(vault.upsert(order, { reference, ...OTHER })).rejects.toMatchObject({
      code: 'ERR_TOKEN_ARCHIVED',
    });
  });
});

describe('the audit of upserts', () => {
  function setUp() {
    const inner = startVaultUnderTest();
    const audited = startAuditUnderTest();
    const vault = createAuditedVault({
      vault: inner.vault,
      audit: audited.audit,
      now: () => START,
      words: AUDIT_WORDS,
    });
    return { ...inner, ...audited, vault };
  }

  it('tells of each what it did to which row, and before it replaces one that it will', async () => {
    const { vault, records } = setUp();
    await vault.upsert(order, { reference, ...CARD });
    await vault.upsert(order, { reference, ...OTHER });
    const found = (await records()).map(({ operation, outcome, version }) => [operation, outcome, version]);
    expect(found).toEqual([
      ['upsert', 'ok', 1],
      ['upsert', 'begun', undefined],
      ['upsert', 'ok', 2],
    ]);
    const [made, begun, replaced] = await records();
    expect([begun?.token, replaced?.token]).toEqual([made?.token, made?.token]);
    expect(made?.row).not.toBe(replaced?.row);
    expect(JSON.stringify(await records())).not.toContain(reference);
  });

  it('names the row of an upsert of which nobody knows what came', async () => {
    const { vault, store, records } = setUp();
    await vault.upsert(order, { reference, ...CARD });
    store.replace = async () => await Promise.reject(new Error('the connection was lost'));
    await expect(vault.upsert(order, { reference, ...OTHER })).rejects.toThrow('lost');
    const [made, , failed] = await records();
    expect(failed).toMatchObject({ operation: 'upsert', outcome: 'ERR_INTERNAL', token: made?.token });
  });

  it('hands out no token where it cannot be written', async () => {
    const { vault, log, store } = setUp();
    log.isDown = true;
    const outcome = await vault.upsert(order, { reference, ...CARD }).catch((error: unknown) => error);
    expect(outcome).toMatchObject({ code: 'ERR_AUDIT_UNAVAILABLE' });
    expect((outcome as Upserted).token).toBeUndefined();
    expect(store.records.size).toBe(1);
  });
});
