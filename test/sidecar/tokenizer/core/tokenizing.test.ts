import { describe, expect, it } from '@jest/globals';
import {
  PAN,
  CARD,
  RECORD,
  START,
  order,
  paybill,
  startVaultUnderTest,
} from '../../../support/vault-under-test.ts';

describe('tokenizing', () => {
  it('gives a token under which the record is stored, sealed', async () => {
    const { vault, store } = startVaultUnderTest();
    const { token, createdAt, expiresAt } = await vault.tokenize(order, RECORD);
    expect([createdAt, expiresAt]).toEqual([START, undefined]);
    const record = store.records.get(`shop#${token}`);
    expect([...(record?.fields.keys() ?? [])]).toEqual(['card', 'note']);
    expect(Buffer.from(record?.fields.get('card')?.message ?? []).includes(PAN)).toBe(false);
  });

  it('gives another token each time, for one value too', async () => {
    const { vault } = startVaultUnderTest();
    expect((await vault.tokenize(order, CARD)).token).not.toBe((await vault.tokenize(order, CARD)).token);
  });

  it('refuses a token whose record may not be stored', async () => {
    const { vault, store } = startVaultUnderTest();
    store.insertMany = async (records) => records.map(() => 'unavailable');
    await expect(vault.tokenize(order, CARD)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
  });

  it.each([
    [
      'a class that there is not',
      { fields: { code: { class: 'cvc', value: '123' } } },
      'ERR_CLASS_UNSUPPORTED',
    ],
    ['a value that does not fit', { fields: { card: { class: 'pan', value: '411' } } }, 'ERR_VALUE_INVALID'],
    [
      'a value over its size',
      { fields: { note: { class: 'text', value: 'a'.repeat(4097) } } },
      'ERR_VALUE_TOO_LARGE',
    ],
    ['another kind', { ...CARD, kind: 'eternal' }, 'ERR_KIND_UNSUPPORTED'],
    ['another format', { ...CARD, format: 'iban' }, 'ERR_KIND_UNSUPPORTED'],
    ['a tenant of somebody else', { ...CARD, tenant: 'rival' }, 'ERR_TENANT_DENIED'],
  ])('refuses %s, and stores nothing', async (_, request, code) => {
    const { vault, store } = startVaultUnderTest();
    await expect(vault.tokenize(order, request)).rejects.toMatchObject({ code });
    expect(store.records.size).toBe(0);
  });

  it('refuses a class that is not granted, naming class and identity and not the value', async () => {
    const { vault } = startVaultUnderTest();
    await expect(vault.tokenize(paybill, CARD)).rejects.toMatchObject({
      code: 'ERR_CLASS_DENIED',
      message: 'paybill.tokenmesh.internal may not tokenize fields of class pan',
    });
  });

  it('hands out no token that is not stored, and none without a key', async () => {
    const { vault, store, sealer } = startVaultUnderTest();
    store.isDown = true;
    await expect(vault.tokenize(order, CARD)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
    store.isDown = false;
    sealer.isDown = true;
    await expect(vault.tokenize(order, CARD)).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' });
    expect(store.records.size).toBe(0);
  });
});

describe('tokenizing a batch', () => {
  it('gives a result for each item, in order, and does not let one hold up the others', async () => {
    const { vault, store } = startVaultUnderTest();
    const bad = { fields: { card: { class: 'pan', value: '1' } } };
    const results = await vault.tokenizeBatch(order, [CARD, bad, { ...CARD, tenant: 'rival' }, CARD]);
    expect(results.map((each) => ('error' in each ? each.error.code : 'ok'))).toEqual([
      'ok',
      'ERR_VALUE_INVALID',
      'ERR_TENANT_DENIED',
      'ok',
    ]);
    const stored = results.flatMap((each) => ('result' in each ? [`shop#${each.result.token}`] : []));
    expect([...store.records.keys()]).toEqual(stored);
  });

  it('takes a thousand items and refuses one more, whole', async () => {
    const { vault, store } = startVaultUnderTest();
    await expect(
      vault.tokenizeBatch(
        order,
        Array.from({ length: 1001 }, () => CARD),
      ),
    ).rejects.toMatchObject({
      code: 'ERR_TOO_MANY_ITEMS',
    });
    expect(store.records.size).toBe(0);
    const results = await vault.tokenizeBatch(
      order,
      Array.from({ length: 1000 }, () => CARD),
    );
    expect(new Set(results.map((each) => ('result' in each ? each.result.token : ''))).size).toBe(1000);
    expect(store.records.size).toBe(1000);
  });

  it('hands out no token for an item that the store did not get to', async () => {
    const { vault, store } = startVaultUnderTest();
    let seen = 0;
    store.lose = () => (seen += 1) === 2;
    const results = await vault.tokenizeBatch(order, [CARD, CARD, CARD]);
    expect(results.map((each) => ('error' in each ? each.error.code : 'ok'))).toEqual([
      'ok',
      'ERR_STORE_UNAVAILABLE',
      'ok',
    ]);
  });

  it('fails as a whole where nothing came of it for an outage', async () => {
    const { vault, store } = startVaultUnderTest();
    store.isDown = true;
    await expect(vault.tokenizeBatch(order, [CARD, CARD])).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
    });
  });
});
