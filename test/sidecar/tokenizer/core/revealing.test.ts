import { describe, expect, it } from '@jest/globals';
import { mintToken } from '../../../../sidecar/tokenizer/core/token.ts';
import {
  PAN,
  CARD,
  RECORD,
  order,
  paybill,
  startVaultUnderTest,
  later,
} from '../../../support/vault-under-test.ts';

describe('detokenizing', () => {
  it('shows what the purpose allows in plain, and redacts what is denied', async () => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, RECORD);
    const revealed = await vault.detokenize(paybill, { token, purpose: 'payment' });
    expect(Object.fromEntries(revealed.fields)).toEqual({
      card: { value: PAN, form: 'plain', class: 'pan' },
      note: { value: null, form: 'redacted', class: 'text' },
    });
  });

  it.each([['marketing'], ['payments']])(
    'masks for purpose %j, which allows nothing in plain',
    async (purpose) => {
      const { vault } = startVaultUnderTest();
      const { token } = await vault.tokenize(order, CARD);
      const revealed = await vault.detokenize(paybill, { token, purpose });
      expect(revealed.fields.get('card')).toEqual({
        value: '************1111',
        form: 'masked',
        class: 'pan',
      });
    },
  );

  it("takes the caller's default purpose where none is stated, and masks where there is none", async () => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, CARD);
    expect((await vault.detokenize(paybill, { token })).fields.get('card')?.form).toBe('plain');
    const { defaultPurpose: _, ...access } = paybill.access;
    const without = { ...paybill, access };
    expect((await vault.detokenize(without, { token })).fields.get('card')?.form).toBe('masked');
  });

  it('opens only what it shows', async () => {
    const { vault, sealer } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, RECORD);
    await vault.detokenize(paybill, { token });
    expect(sealer.opened).toBe(1);
  });

  it('shows the fields that are wanted', async () => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, {
      fields: { ...CARD.fields, mail: { class: 'email', value: 'joe@example.com' } },
    });
    const revealed = await vault.detokenize(paybill, { token, fields: ['mail'] });
    expect([...revealed.fields.keys()]).toEqual(['mail']);
  });

  it('refuses where all that is wanted is denied', async () => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, RECORD);
    await expect(vault.detokenize(paybill, { token, fields: ['note'] })).rejects.toMatchObject({
      code: 'ERR_CLASS_DENIED',
      message: 'paybill.tokenmesh.internal may not detokenize fields of class text',
    });
  });

  it('refuses a field that the record has not, naming it without digits', async () => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, CARD);
    await expect(vault.detokenize(paybill, { token, fields: ['card', `x${PAN}`] })).rejects.toMatchObject({
      code: 'ERR_FIELD_UNKNOWN',
      message: 'the record has no field "x[digits]"',
    });
  });

  it('refuses a caller without the right, whether the token exists or not', async () => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, CARD);
    const unknown = mintToken(Buffer.alloc(16, 9));
    await expect(vault.detokenize(order, { token })).rejects.toMatchObject({ code: 'ERR_OPERATION_DENIED' });
    await expect(vault.detokenize(order, { token: unknown })).rejects.toMatchObject({
      code: 'ERR_OPERATION_DENIED',
    });
  });

  it.each([
    ['malformed', 'tkn_', 'ERR_TOKEN_MALFORMED'],
    ['unknown', mintToken(Buffer.alloc(16, 9)), 'ERR_TOKEN_UNKNOWN'],
  ])('refuses a token that is %s', async (_, token, code) => {
    await expect(startVaultUnderTest().vault.detokenize(paybill, { token })).rejects.toMatchObject({ code });
  });

  it('does not know a token of another tenant', async () => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, { ...CARD, tenant: 'bank' });
    await expect(vault.detokenize(paybill, { token })).rejects.toMatchObject({ code: 'ERR_TOKEN_UNKNOWN' });
    expect((await vault.detokenize(paybill, { token, tenant: 'bank' })).fields.get('card')?.value).toBe(PAN);
    await expect(vault.detokenize(paybill, { token, tenant: 'rival' })).rejects.toMatchObject({
      code: 'ERR_TENANT_DENIED',
    });
  });

  it('refuses a token from the millisecond at which it expires', async () => {
    const { vault, clock } = startVaultUnderTest();
    const { token, expiresAt } = await vault.tokenize(order, { ...CARD, ttlSeconds: 60 });
    expect(expiresAt).toEqual(later(60_000));
    clock.now = later(59_999);
    expect((await vault.detokenize(paybill, { token })).fields.get('card')?.value).toBe(PAN);
    clock.now = later(60_000);
    await expect(vault.detokenize(paybill, { token })).rejects.toMatchObject({ code: 'ERR_TOKEN_EXPIRED' });
  });

  it('refuses fields that were swapped in the store', async () => {
    const { vault, store } = startVaultUnderTest();
    const one = await vault.tokenize(order, CARD);
    const other = await vault.tokenize(order, CARD);
    const [mine, theirs] = [store.records.get(`shop#${one.token}`), store.records.get(`shop#${other.token}`)];
    if (mine === undefined || theirs === undefined) throw new Error('expected two records');
    store.records.set(`shop#${one.token}`, { ...mine, fields: theirs.fields });
    await expect(vault.detokenize(paybill, { token: one.token })).rejects.toMatchObject({
      code: 'ERR_RECORD_UNOPENABLE',
    });
  });
});

describe('detokenizing a batch', () => {
  it('gives a result for each item, in order', async () => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, CARD);
    const results = await vault.detokenizeBatch(paybill, [
      { token: 'nonsense' },
      { token },
      { token: mintToken(Buffer.alloc(16, 9)) },
      { token, purpose: 'marketing' },
    ]);
    expect(
      results.map((each) => ('error' in each ? each.error.code : each.result.fields.get('card')?.value)),
    ).toEqual(['ERR_TOKEN_MALFORMED', PAN, 'ERR_TOKEN_UNKNOWN', '************1111']);
  });

  it('says of an item that could not be read that it is unavailable, and fails where all are', async () => {
    const { vault, store } = startVaultUnderTest();
    const [one, other] = [await vault.tokenize(order, CARD), await vault.tokenize(order, CARD)];
    store.lose = ({ token }) => token === one.token;
    const results = await vault.detokenizeBatch(paybill, [{ token: one.token }, { token: other.token }]);
    expect(results.map((each) => ('error' in each ? each.error.code : 'ok'))).toEqual([
      'ERR_STORE_UNAVAILABLE',
      'ok',
    ]);
    store.isDown = true;
    await expect(vault.detokenizeBatch(paybill, [{ token: one.token }])).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
    });
  });
});
