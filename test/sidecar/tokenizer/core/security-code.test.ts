import { describe, expect, it } from '@jest/globals';
import { KeyUnavailableError, StoreUnavailableError } from '../../../../sidecar/tokenizer/core/errors.ts';
import { MAX_CODE_MS } from '../../../../sidecar/tokenizer/core/security-code.ts';
import { later, order, PAN, paybill, START, startVaultUnderTest } from '../../../support/vault-under-test.ts';

const CODE = { code: { class: 'cvv', value: '123' } };
const CARD = { card: { class: 'pan', value: PAN } };
const BOTH = { fields: { ...CARD, ...CODE } };

const gone = { code: 'ERR_CODE_GONE' };

describe('a security code', () => {
  it('is an item of its own, and its record holds nothing of it but its field and its end', async () => {
    const { vault, store } = startVaultUnderTest();
    const { token, expiresAt } = await vault.tokenize(order, BOTH);
    expect(expiresAt).toBeUndefined();
    const record = store.records.get(`shop#${token}`);
    expect([...(record?.fields.keys() ?? [])]).toEqual(['card']);
    expect(record?.code).toEqual({ field: 'code', expiresAt: later(MAX_CODE_MS) });
    expect(store.codes.get(`shop#${token}`)).toMatchObject({ field: 'code', expiresAt: later(MAX_CODE_MS) });
    expect((await vault.describe(order, { token })).fields.get('code')).toBe('cvv');
  });

  it('refuses to be searched for, whatever else is', async () => {
    const { vault, store, fingerprints } = startVaultUnderTest();
    const fields = { ...CARD, code: { ...CODE.code, searchable: true as const } };
    await expect(vault.tokenize(order, { fields })).rejects.toMatchObject({ code: 'ERR_VALUE_INVALID' });
    const findable = { card: { ...CARD.card, searchable: true as const }, ...CODE };
    await vault.tokenize(order, { fields: findable });
    expect([store.records.size, store.codes.size, fingerprints.index.rows.size]).toEqual([1, 1, 1]);
  });

  it('is read once, and only where it is named', async () => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, BOTH);
    expect([...(await vault.detokenize(paybill, { token })).fields.keys()]).toEqual(['card']);
    const named = { token, fields: ['card', 'code'] };
    expect((await vault.detokenize(paybill, named)).fields.get('code')).toMatchObject({
      value: '123',
      form: 'plain',
    });
    await expect(vault.detokenize(paybill, named)).rejects.toMatchObject(gone);
    expect((await vault.detokenize(paybill, { token })).fields.get('card')?.value).toBe(PAN);
  });

  it('is had by one of many who read it at once', async () => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, BOTH);
    const reads = await Promise.allSettled(
      Array.from({ length: 20 }, () => vault.detokenize(paybill, { token, fields: ['code'] })),
    );
    expect(reads.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('is neither opened nor used up by who may see it masked alone', async () => {
    const { vault, sealer } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, BOTH);
    const masked = await vault.detokenize(paybill, { token, fields: ['code'], purpose: 'curiosity' });
    expect(masked.fields.get('code')).toEqual({ value: '***', form: 'masked', class: 'cvv' });
    expect(sealer.opened).toBe(0);
    expect((await vault.detokenize(paybill, { token, fields: ['code'] })).fields.get('code')?.value).toBe(
      '123',
    );
  });

  it('is gone after its hour to the millisecond, while its record goes on', async () => {
    const { vault, clock } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, BOTH);
    clock.now = later(MAX_CODE_MS);
    await expect(vault.detokenize(paybill, { token, fields: ['code'] })).rejects.toMatchObject(gone);
    expect((await vault.detokenize(paybill, { token })).fields.get('card')?.value).toBe(PAN);
    clock.now = later(MAX_CODE_MS - 1);
    expect((await vault.detokenize(paybill, { token, fields: ['code'] })).fields.get('code')?.value).toBe(
      '123',
    );
  });

  it('lives no longer than its record, and a record of it alone no longer than the code', async () => {
    const { vault, store } = startVaultUnderTest();
    const brief = await vault.tokenize(order, { ...BOTH, ttlSeconds: 60 });
    expect(store.codes.get(`shop#${brief.token}`)?.expiresAt).toEqual(later(60_000));
    const alone = await vault.tokenize(order, { fields: CODE, ttlSeconds: 7_200 });
    expect(alone.expiresAt).toEqual(later(MAX_CODE_MS));
    expect(alone.stored).toMatchObject({ expiresAt: later(MAX_CODE_MS) });
  });

  it('alone in its record is left by a read that does not name it, and is had by one that does', async () => {
    const { vault, sealer } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, { fields: CODE });
    expect((await vault.detokenize(paybill, { token })).fields.size).toBe(0);
    expect(sealer.opened).toBe(0);
    const named = await vault.detokenize(paybill, { token, fields: ['code'] });
    expect(named.fields.get('code')?.value).toBe('123');
    expect((await vault.detokenize(paybill, { token })).fields.size).toBe(0);
  });

  it('leaves no record behind where it could not be sealed, alone or in a batch', async () => {
    const { vault, sealer, store } = startVaultUnderTest();
    const sealed = sealer.seal.bind(sealer);
    sealer.seal = async (plaintext, context) => {
      if (context['class'] === 'cvv') throw new KeyUnavailableError();
      return await sealed(plaintext, context);
    };
    await expect(vault.tokenize(order, BOTH)).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' });
    expect(store.records.size).toBe(0);
    const results = await vault.tokenizeBatch(order, [BOTH, { fields: CARD }]);
    expect(results.map((each) => ('error' in each ? each.error.code : 'stored'))).toEqual([
      'ERR_KEY_UNAVAILABLE',
      'stored',
    ]);
    expect(store.records.size).toBe(1);
  });

  it('goes first where its record is deleted, so that the deletion can be asked for again', async () => {
    const { vault, store } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, BOTH);
    const consumed = store.consumeCode.bind(store);
    store.consumeCode = async () => {
      throw new StoreUnavailableError();
    };
    await expect(vault.delete(order, { token })).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
    store.consumeCode = consumed;
    await vault.delete(order, { token });
    expect([store.records.size, store.codes.size]).toEqual([0, 0]);
  });

  it('goes with its record', async () => {
    const { vault, store } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, BOTH);
    await vault.delete(order, { token });
    expect([store.records.size, store.codes.size]).toEqual([0, 0]);
  });

  it('stays where it does not open', async () => {
    const { vault, sealer, store } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, BOTH);
    sealer.isDown = true;
    await expect(vault.detokenize(paybill, { token, fields: ['code'] })).rejects.toMatchObject({
      code: 'ERR_KEY_UNAVAILABLE',
    });
    expect(store.codes.size).toBe(1);
  });

  it('does not open beside another record', async () => {
    const { vault, store } = startVaultUnderTest();
    const [one, other] = [await vault.tokenize(order, BOTH), await vault.tokenize(order, BOTH)];
    const foreign = store.codes.get(`shop#${other.token}`);
    if (foreign === undefined) throw new Error('expected a code');
    store.codes.set(`shop#${one.token}`, foreign);
    await expect(vault.detokenize(paybill, { token: one.token, fields: ['code'] })).rejects.toMatchObject({
      code: 'ERR_RECORD_UNOPENABLE',
    });
  });

  it.each<[string, object]>([
    ['two in one record', { fields: { ...CODE, other: { class: 'cvv', value: '9999' } } }],
    ['one in a one-time record', { ...BOTH, kind: 'one-time' }],
    ['one behind a pointer', { ...BOTH, kind: 'pointer' }],
    ['one of five digits', { fields: { code: { class: 'cvv', value: '12345' } } }],
  ])('refuses %s', async (_what, request) => {
    const { vault, store } = startVaultUnderTest();
    await expect(vault.tokenize(order, request as typeof BOTH)).rejects.toMatchObject({
      code: 'ERR_VALUE_INVALID',
    });
    expect(store.records.size).toBe(0);
  });

  it('refuses to come behind a pointer later on', async () => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, { fields: CARD, kind: 'pointer' });
    await expect(vault.replace(order, { token, ...BOTH })).rejects.toMatchObject({
      code: 'ERR_VALUE_INVALID',
    });
  });

  it('hands out no token where the code could not be stored, alone or in a batch', async () => {
    const { vault, store } = startVaultUnderTest();
    store.insertCodes = async (codes) => codes.map((_, index) => (index === 1 ? 'stored' : 'unavailable'));
    await expect(vault.tokenize(order, BOTH)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
    const results = await vault.tokenizeBatch(order, [BOTH, { fields: CARD }, BOTH]);
    expect(results.map((each) => ('error' in each ? each.error.code : 'stored'))).toEqual([
      'ERR_STORE_UNAVAILABLE',
      'stored',
      'stored',
    ]);
  });

  it('comes in batches too', async () => {
    const { vault, store } = startVaultUnderTest();
    const results = await vault.tokenizeBatch(
      order,
      Array.from({ length: 40 }, () => BOTH),
    );
    const tokens = results.map((each) => ('result' in each ? each.result.token : ''));
    expect(store.codes.size).toBe(40);
    const read = await vault.detokenizeBatch(
      paybill,
      tokens.map((token) => ({ token, fields: ['code'] })),
    );
    expect(read.every((each) => 'result' in each && each.result.fields.get('code')?.value === '123')).toBe(
      true,
    );
    expect(store.codes.size).toBe(0);
    expect(START).toBeDefined();
  });
});

describe('an archived token', () => {
  it('reveals nothing until it is restored, and is then as it was', async () => {
    const { vault, clock, store } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, { fields: CARD });
    const before = store.records.get(`shop#${token}`);
    clock.now = later(5);
    expect(await vault.archive(order, { token })).toMatchObject({ token, archivedAt: later(5) });
    await expect(vault.detokenize(paybill, { token })).rejects.toMatchObject({ code: 'ERR_TOKEN_ARCHIVED' });
    expect(await vault.describe(order, { token })).toMatchObject({ archivedAt: later(5) });
    expect(await vault.restore(order, { token })).toMatchObject({ token, stored: before });
    expect(store.records.get(`shop#${token}`)).toEqual(before);
    expect((await vault.detokenize(paybill, { token })).fields.get('card')?.value).toBe(PAN);
  });

  it('is archived and restored again with nothing changed', async () => {
    const { vault, clock } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, { fields: CARD });
    expect(await vault.restore(order, { token })).toEqual({ token, policyIds: ['mesh.order.archive'] });
    await vault.archive(order, { token });
    clock.now = later(9);
    const again = await vault.archive(order, { token });
    expect([again.archivedAt, again.stored]).toEqual([START, undefined]);
  });

  it('is not replaced, and may be deleted', async () => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, { fields: CARD, kind: 'pointer' });
    await vault.archive(order, { token });
    await expect(vault.replace(order, { token, fields: CARD })).rejects.toMatchObject({
      code: 'ERR_TOKEN_ARCHIVED',
    });
    await vault.delete(order, { token });
    await expect(vault.restore(order, { token })).rejects.toMatchObject({ code: 'ERR_TOKEN_UNKNOWN' });
  });

  it.each(['archive', 'restore'] as const)(
    'refuses to %s for who may not, and what is no more',
    async (verb) => {
      const { vault } = startVaultUnderTest();
      const { token } = await vault.tokenize(order, { fields: CARD, kind: 'one-time' });
      await expect(vault[verb](paybill, { token })).rejects.toMatchObject({ code: 'ERR_OPERATION_DENIED' });
      await vault.detokenize(paybill, { token });
      await expect(vault[verb](order, { token })).rejects.toMatchObject({ code: 'ERR_TOKEN_CONSUMED' });
    },
  );
});
