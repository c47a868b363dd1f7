import { describe, expect, it } from '@jest/globals';
import { createAuditedVault } from '../../../../../sidecar/tokenizer/core/audit/audited-vault.ts';
import { startAuditUnderTest } from '../../../../support/audit-under-test.ts';
import {
  AUDIT_WORDS,
  CARD,
  later,
  order,
  PAN,
  paybill,
  RECORD,
  START,
  startVaultUnderTest,
} from '../../../../support/vault-under-test.ts';
import { newToken } from '../../../../contracts/token-store.contract.ts';

const UNAVAILABLE = { code: 'ERR_AUDIT_UNAVAILABLE' };
const REFERENCE = expect.stringMatching(/^[a-p]{64}$/);

function setUp() {
  const inner = startVaultUnderTest();
  const audited = startAuditUnderTest();
  const vault = createAuditedVault({
    vault: inner.vault,
    audit: audited.audit,
    now: () => inner.clock.now,
    words: AUDIT_WORDS,
  });
  return { ...inner, ...audited, clock: inner.clock, vault };
}

describe('the audited vault', () => {
  it('records each tokenization and reveal: who, for what, which classes, in which form', async () => {
    const { vault, records } = setUp();
    const { token } = await vault.tokenize({ ...order, requestId: 'a1' }, RECORD);
    await vault.detokenize({ ...paybill, requestId: 'b2' }, { token });
    await vault.detokenize(paybill, { token, purpose: 'curiosity', fields: ['card'] });
    const found = await records();
    expect(found).toEqual([
      {
        at: START.toISOString(),
        requestId: 'a1',
        identity: order.identity,
        tenant: 'shop',
        operation: 'tokenize',
        outcome: 'ok',
        token: REFERENCE,
        fields: [{ class: 'pan' }, { class: 'text' }],
        policies: ['mesh.order.tokenize'],
        row: expect.stringMatching(/^[a-p]{32}$/) as unknown,
      },
      {
        at: START.toISOString(),
        requestId: 'b2',
        identity: paybill.identity,
        tenant: 'shop',
        operation: 'detokenize',
        purpose: 'payment',
        outcome: 'ok',
        token: REFERENCE,
        fields: [
          { class: 'pan', form: 'plain' },
          { class: 'text', form: 'redacted' },
        ],
        policies: ['mesh.paybill.reveal-plain'],
      },
      expect.objectContaining({ purpose: 'other', fields: [{ class: 'pan', form: 'masked' }] }),
    ]);
    expect(new Set(found.map((record) => record.token)).size).toBe(1);
  });

  it('records a look at the metadata, and a deletion twice: before it is done and after', async () => {
    const { vault, records } = setUp();
    const { token } = await vault.tokenize(order, CARD);
    await vault.describe(order, { token });
    await vault.delete(order, { token });
    const told = (await records()).slice(1).map(({ operation, outcome, token: reference, fields }) => ({
      operation,
      outcome,
      reference,
      fields,
    }));
    expect(told).toEqual([
      { operation: 'describe', outcome: 'ok', reference: REFERENCE, fields: [{ class: 'pan' }] },
      { operation: 'delete', outcome: 'begun', reference: REFERENCE, fields: undefined },
      { operation: 'delete', outcome: 'ok', reference: REFERENCE, fields: undefined },
    ]);
  });

  it('records each refusal under its code, and still refuses', async () => {
    const { vault, records, clock } = setUp();
    const { token } = await vault.tokenize(order, { ...CARD, ttlSeconds: 1 });
    const attempts: [string, () => Promise<unknown>][] = [
      ['ERR_OPERATION_DENIED', () => vault.detokenize(order, { token })],
      ['ERR_CLASS_DENIED', () => vault.tokenize(paybill, CARD)],
      ['ERR_TENANT_DENIED', () => vault.describe(order, { token, tenant: 'casino' })],
      ['ERR_TOKEN_UNKNOWN', () => vault.describe(order, { token: newToken() })],
      ['ERR_FIELD_UNKNOWN', () => vault.detokenize(paybill, { token, fields: ['other'] })],
      ['ERR_TOKEN_UNKNOWN', () => vault.delete(order, { token: newToken() })],
      ['ERR_VALUE_INVALID', () => vault.tokenize(order, { fields: { card: { class: 'pan', value: '4' } } })],
      ['ERR_CLASS_UNSUPPORTED', () => vault.tokenize(order, { fields: { a: { class: PAN, value: 'x' } } })],
      [
        'ERR_TOKEN_EXPIRED',
        () => {
          clock.now = later(1_000);
          return vault.detokenize(paybill, { token });
        },
      ],
    ];
    for (const [code, attempt] of attempts) await expect(attempt()).rejects.toMatchObject({ code });
    const outcomes = (await records()).slice(1).map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome !== 'begun')).toEqual(attempts.map(([code]) => code));
  });

  it('records every item of a batch, in one segment', async () => {
    const { vault, records, log } = setUp();
    const bad = { fields: { card: { class: 'pan', value: 'x' } } };
    const results = await vault.tokenizeBatch(order, [CARD, bad, CARD]);
    const tokens = results.flatMap((each) => ('result' in each ? [each.result.token] : []));
    await vault.detokenizeBatch(
      paybill,
      [...tokens, newToken()].map((token) => ({ token })),
    );
    expect(log.sent).toHaveLength(2);
    expect((await records()).map(({ operation, outcome }) => [operation, outcome])).toEqual([
      ['tokenize', 'ok'],
      ['tokenize', 'ERR_VALUE_INVALID'],
      ['tokenize', 'ok'],
      ['detokenize', 'ok'],
      ['detokenize', 'ok'],
      ['detokenize', 'ERR_TOKEN_UNKNOWN'],
    ]);
  });

  it('records for each item that a batch was refused as a whole', async () => {
    const { vault, records } = setUp();
    const many = Array.from({ length: 1_001 }, () => CARD);
    await expect(vault.tokenizeBatch(order, many)).rejects.toMatchObject({ code: 'ERR_TOO_MANY_ITEMS' });
    expect((await records()).filter(({ outcome }) => outcome === 'ERR_TOO_MANY_ITEMS')).toHaveLength(1_001);
  });

  it('makes no reference of what is no token, since it may be a card number', async () => {
    const { vault, records } = setUp();
    const malformed = { code: 'ERR_TOKEN_MALFORMED' };
    await expect(vault.detokenize(paybill, { token: PAN })).rejects.toMatchObject(malformed);
    await expect(vault.delete(order, { token: PAN })).rejects.toMatchObject(malformed);
    const found = await records();
    expect(found).toHaveLength(3);
    expect(found.filter((record) => 'token' in record)).toEqual([]);
  });

  it.each(['Jane Doe', 'joe@example.com', 'Payment', 'payment ', PAN])(
    'records a purpose and a tenant that the mesh does not name as other: %s',
    async (text) => {
      const { vault, records, log } = setUp();
      const { token } = await vault.tokenize(order, CARD);
      await vault.detokenize(paybill, { token, purpose: text });
      await vault.detokenize(paybill, { token, purpose: 'identity-check', tenant: 'bank' }).catch(() => {});
      await expect(vault.detokenize(paybill, { token, tenant: text })).rejects.toThrow();
      expect((await records()).slice(1)).toMatchObject([
        { tenant: 'shop', purpose: 'other' },
        { tenant: 'bank', purpose: 'identity-check' },
        { tenant: 'other', purpose: 'payment' },
      ]);
      expect(JSON.stringify(log.sent)).not.toContain(JSON.stringify(text).slice(1, -1));
    },
  );

  it('has neither a value nor a whole token in its log', async () => {
    const { vault, log } = setUp();
    const { token } = await vault.tokenize(order, {
      fields: { [`a${PAN}`]: { class: 'pan', value: PAN }, note: { class: 'text', value: 'call first' } },
    });
    await vault.detokenize(paybill, { token, purpose: PAN });
    await expect(vault.detokenize(paybill, { token, tenant: PAN })).rejects.toThrow();
    const written = JSON.stringify(log.sent);
    expect(written).toContain('"detokenize');
    for (const secret of [PAN, PAN.slice(0, 6), token, token.slice(4), 'call first']) {
      expect(written).not.toContain(secret);
    }
    expect(written).not.toMatch(/\d{13}/);
  });
});

describe('the audited vault, where the audit cannot be written', () => {
  it('hands out no token', async () => {
    const { vault, log } = setUp();
    log.isDown = true;
    await expect(vault.tokenize(order, CARD)).rejects.toMatchObject(UNAVAILABLE);
    await expect(vault.tokenizeBatch(order, [CARD, CARD])).rejects.toMatchObject(UNAVAILABLE);
  });

  it('reveals and describes nothing', async () => {
    const { vault, log } = setUp();
    const { token } = await vault.tokenize(order, CARD);
    log.isDown = true;
    await expect(vault.detokenize(paybill, { token })).rejects.toMatchObject(UNAVAILABLE);
    await expect(vault.detokenizeBatch(paybill, [{ token }])).rejects.toMatchObject(UNAVAILABLE);
    await expect(vault.describe(paybill, { token })).rejects.toMatchObject(UNAVAILABLE);
  });

  it('deletes nothing', async () => {
    const { vault, store, log } = setUp();
    const { token } = await vault.tokenize(order, CARD);
    log.isDown = true;
    await expect(vault.delete(order, { token })).rejects.toMatchObject(UNAVAILABLE);
    expect(store.records.size).toBe(1);
  });

  it('does not even say that it refuses, so that nobody can try unseen', async () => {
    const { vault, log } = setUp();
    log.isDown = true;
    await expect(vault.detokenize(order, { token: newToken() })).rejects.toMatchObject(UNAVAILABLE);
  });

  it('answers an outage as what it is, without waiting for the audit', async () => {
    const { vault, store, log } = setUp();
    store.isDown = true;
    log.isDown = true;
    const outage = { code: 'ERR_STORE_UNAVAILABLE' };
    await expect(vault.detokenize(paybill, { token: newToken() })).rejects.toMatchObject(outage);
    await expect(vault.tokenizeBatch(order, [CARD])).rejects.toMatchObject(outage);
  });

  it('records an outage where it can', async () => {
    const { vault, store, records } = setUp();
    store.isDown = true;
    await expect(vault.tokenize(order, CARD)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await records()).toEqual([expect.objectContaining({ outcome: 'ERR_STORE_UNAVAILABLE' })]);
  });
});
