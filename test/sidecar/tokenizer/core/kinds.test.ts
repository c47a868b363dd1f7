import { describe, expect, it } from '@jest/globals';
import type { PolicyRequest } from '../../../../sidecar/tokenizer/core/policy.ts';
import { CARD, later, order, PAN, paybill, startVaultUnderTest } from '../../../support/vault-under-test.ts';

const OTHER_PAN = '5555555555554444';
const OTHER = { fields: { card: { class: 'pan', value: OTHER_PAN } } };
const ONCE = { ...CARD, kind: 'one-time' };
const POINTER = { ...CARD, kind: 'pointer' };

describe('a kind of token', () => {
  it.each([
    ['one-time', 'pan'],
    ['one-time', 'email'],
    ['pointer', 'pan-random'],
    ['pointer', 'phone'],
    ['constructor', undefined],
    ['random', 'toString'],
  ])(
    'that there is not is refused, and all that there are named: %s in the format %s',
    async (kind, format) => {
      const { vault, store } = startVaultUnderTest();
      const request = { ...CARD, kind, ...(format === undefined ? {} : { format }) };
      await expect(vault.tokenize(order, request)).rejects.toMatchObject({
        code: 'ERR_KIND_UNSUPPORTED',
        message: expect.stringMatching(
          /kind "random" with format .*"ssn-last-four"; kind "one-time" with format "default", "uuid", "region"; kind "pointer"/,
        ),
      });
      expect(store.records.size).toBe(0);
    },
  );
});

describe('a one-time token', () => {
  it.each(['default', 'uuid', 'region'])('of the format %s is revealed once, then gone', async (format) => {
    const { vault, store } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, { ...ONCE, format });
    expect(await vault.describe(paybill, { token })).toMatchObject({ kind: 'one-time', format });
    expect((await vault.detokenize(paybill, { token })).fields.get('card')?.value).toBe(PAN);
    const consumed = { code: 'ERR_TOKEN_CONSUMED' };
    await expect(vault.detokenize(paybill, { token })).rejects.toMatchObject(consumed);
    await expect(vault.describe(paybill, { token })).rejects.toMatchObject(consumed);
    await expect(vault.delete(order, { token })).rejects.toMatchObject(consumed);
    expect(store.records.get(`shop#${token}`)?.fields.size).toBe(0);
  });

  it('is revealed to exactly one of many who ask at a time', async () => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, ONCE);
    const results = await vault.detokenizeBatch(
      paybill,
      Array.from({ length: 20 }, () => ({ token })),
    );
    const values = results.map((each) =>
      'error' in each ? each.error.code : each.result.fields.get('card')?.value,
    );
    expect(values.filter((value) => value === PAN)).toHaveLength(1);
    expect(values.filter((value) => value === 'ERR_TOKEN_CONSUMED')).toHaveLength(19);
  });

  it('is not used up by a caller who may not see it, nor while it cannot be opened', async () => {
    const { vault, sealer } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, ONCE);
    await expect(vault.detokenize(order, { token })).rejects.toMatchObject({ code: 'ERR_OPERATION_DENIED' });
    sealer.isDown = true;
    await expect(vault.detokenize(paybill, { token })).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' });
    sealer.isDown = false;
    expect((await vault.detokenize(paybill, { token })).fields.get('card')?.value).toBe(PAN);
  });

  it('is not revealed where it is not known whether it was used up', async () => {
    const { vault, store } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, ONCE);
    store.consume = () => Promise.reject(new Error('no answer'));
    await expect(vault.detokenize(paybill, { token })).rejects.toThrow('no answer');
  });

  it('is used up by a masked reveal too', async () => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, ONCE);
    const masked = await vault.detokenize(paybill, { token, purpose: 'curiosity' });
    expect(masked.fields.get('card')?.form).toBe('masked');
    await expect(vault.detokenize(paybill, { token })).rejects.toMatchObject({ code: 'ERR_TOKEN_CONSUMED' });
  });

  it('is remembered as used for a day, and unknown from then on', async () => {
    const { vault, clock } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, { ...ONCE, ttlSeconds: 60 });
    await vault.detokenize(paybill, { token });
    clock.now = later(86_399_999);
    await expect(vault.detokenize(paybill, { token })).rejects.toMatchObject({ code: 'ERR_TOKEN_CONSUMED' });
    clock.now = later(86_400_000);
    await expect(vault.detokenize(paybill, { token })).rejects.toMatchObject({ code: 'ERR_TOKEN_UNKNOWN' });
  });
});

describe('a pointer', () => {
  it('leads to what it was last given, under the same token and a version that counts', async () => {
    const { vault } = startVaultUnderTest();
    const { token, version } = await vault.tokenize(order, POINTER);
    expect(version).toBe(1);
    expect(await vault.replace(order, { token, ...OTHER })).toMatchObject({ token, version: 2 });
    expect((await vault.detokenize(paybill, { token })).fields.get('card')?.value).toBe(OTHER_PAN);
    expect(await vault.replace(order, { token, ...CARD, version: 2 })).toMatchObject({ token, version: 3 });
    expect(await vault.describe(order, { token })).toMatchObject({ kind: 'pointer', version: 3 });
    expect((await vault.detokenize(paybill, { token })).fields.get('card')?.value).toBe(PAN);
  });

  it('keeps its life and its time of birth', async () => {
    const { vault, clock } = startVaultUnderTest();
    const { token, createdAt, expiresAt } = await vault.tokenize(order, { ...POINTER, ttlSeconds: 60 });
    clock.now = later(30_000);
    await vault.replace(order, { token, ...OTHER });
    expect(await vault.describe(order, { token })).toMatchObject({ createdAt, expiresAt });
    clock.now = later(60_000);
    await expect(vault.replace(order, { token, ...OTHER })).rejects.toMatchObject({
      code: 'ERR_TOKEN_EXPIRED',
    });
  });

  it('refuses a version that is not the last, and names that one', async () => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, POINTER);
    await vault.replace(order, { token, ...OTHER });
    await expect(vault.replace(order, { token, ...CARD, version: 1 })).rejects.toMatchObject({
      code: 'ERR_VERSION_CONFLICT',
      message: 'the record has another version: expected 1, got 2',
    });
    expect((await vault.detokenize(paybill, { token })).fields.get('card')?.value).toBe(OTHER_PAN);
  });

  it('takes one of many who replace the same version, and all of those who name none, one after another', async () => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, POINTER);
    const named = await Promise.allSettled(
      Array.from({ length: 6 }, () => vault.replace(order, { token, ...OTHER, version: 1 })),
    );
    expect(named.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const unnamed = await Promise.all(
      Array.from({ length: 3 }, () => vault.replace(order, { token, ...OTHER })),
    );
    expect(unnamed.map(({ version }) => version).toSorted((a, b) => a - b)).toEqual([3, 4, 5]);
  });

  it('refuses an older message under the newer version, and the newer under the older', async () => {
    const { vault, store } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, POINTER);
    const old = store.records.get(`shop#${token}`);
    await vault.replace(order, { token, ...OTHER });
    const recent = store.records.get(`shop#${token}`);
    if (old === undefined || recent === undefined) throw new Error('expected two records');
    const { revision: _, kind: __, ...plain } = old;
    for (const forged of [
      { ...recent, fields: old.fields },
      { ...old, fields: recent.fields },
      { ...plain, fields: recent.fields },
    ]) {
      store.records.set(`shop#${token}`, forged);
      await expect(vault.detokenize(paybill, { token })).rejects.toMatchObject({
        code: 'ERR_RECORD_UNOPENABLE',
      });
    }
  });

  it('is the only kind that can be replaced, and is not known where it was never made', async () => {
    const { vault } = startVaultUnderTest();
    for (const kind of ['random', 'one-time']) {
      const { token } = await vault.tokenize(order, { ...CARD, kind });
      await expect(vault.replace(order, { token, ...OTHER })).rejects.toMatchObject({
        code: 'ERR_KIND_NOT_POINTER',
      });
    }
    const { token } = await vault.tokenize(order, POINTER);
    await vault.delete(order, { token });
    await expect(vault.replace(order, { token, ...OTHER })).rejects.toMatchObject({
      code: 'ERR_TOKEN_UNKNOWN',
    });
  });

  it('refuses who may not tokenize, and values that do not fit', async () => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, POINTER);
    await expect(vault.replace(paybill, { token, ...OTHER })).rejects.toMatchObject({
      code: 'ERR_OPERATION_DENIED',
    });
    const bad = { fields: { card: { class: 'pan', value: '411' } } };
    await expect(vault.replace(order, { token, ...bad })).rejects.toMatchObject({
      code: 'ERR_VALUE_INVALID',
    });
  });

  it('is not replaced where who asks may write the new class and not the old', async () => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, POINTER);
    const permits = (question: PolicyRequest): boolean =>
      question.class === 'text' && question.operation === 'tokenize';
    const narrow = startVaultUnderTest({
      permits,
      decide: (question) => ({ permitted: permits(question), policyIds: [] }),
    });
    narrow.store.records.set(`shop#${token}`, {
      ...narrow.emptyRecord(token),
      kind: 'pointer',
      revision: 1,
      fields: new Map([['card', { class: 'pan', message: Uint8Array.of(1) }]]),
    });
    await expect(
      narrow.vault.replace(order, { token, fields: { note: { class: 'text', value: 'x' } } }),
    ).rejects.toMatchObject({ code: 'ERR_CLASS_DENIED' });
  });
});
