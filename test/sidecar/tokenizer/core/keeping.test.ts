import { describe, expect, it } from '@jest/globals';
import {
  CARD,
  RECORD,
  START,
  order,
  paybill,
  startVaultUnderTest,
  later,
} from '../../../support/vault-under-test.ts';

describe('a token', () => {
  it('is described by its fields and times, without a value', async () => {
    const { vault, sealer } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, { ...RECORD, ttlSeconds: 1 });
    expect(await vault.describe(paybill, { token })).toEqual({
      token,
      tenant: 'shop',
      createdAt: START,
      expiresAt: later(1000),
      kind: 'random',
      format: 'default',
      fields: new Map([
        ['card', 'pan'],
        ['note', 'text'],
      ]),
      policyIds: ['mesh.paybill.read-metadata'],
    });
    expect(sealer.opened).toBe(0);
  });

  it('is gone once deleted', async () => {
    const { vault, store } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, CARD);
    await vault.delete(order, { token });
    const unknown = { code: 'ERR_TOKEN_UNKNOWN' };
    await expect(vault.detokenize(paybill, { token })).rejects.toMatchObject(unknown);
    await expect(vault.describe(order, { token })).rejects.toMatchObject(unknown);
    await expect(vault.delete(order, { token })).rejects.toMatchObject(unknown);
    expect(store.records.size).toBe(0);
  });

  it('is deleted, expired or not, only by who may', async () => {
    const { vault, clock } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, { ...CARD, ttlSeconds: 1 });
    await expect(vault.delete(paybill, { token })).rejects.toMatchObject({ code: 'ERR_OPERATION_DENIED' });
    clock.now = later(5_000);
    await expect(vault.describe(order, { token })).rejects.toMatchObject({ code: 'ERR_TOKEN_EXPIRED' });
    await expect(vault.delete(order, { token })).resolves.toEqual({
      policyIds: ['mesh.order.delete'],
      stored: 'removed',
    });
  });

  it('of another tenant is not described or deleted', async () => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, { ...CARD, tenant: 'bank' });
    await expect(vault.describe(order, { token })).rejects.toMatchObject({ code: 'ERR_TOKEN_UNKNOWN' });
    await expect(vault.delete(order, { token })).rejects.toMatchObject({ code: 'ERR_TOKEN_UNKNOWN' });
  });
});
