import { describe, expect, it } from '@jest/globals';
import { mintToken } from '../../../../sidecar/tokenizer/core/token.ts';
import { startTokenizerUnderTest } from '../../../support/tokenizer-under-test.ts';

const CARD = { fields: { card: { class: 'pan', value: '4111111111111111' } } };
const UNKNOWN = mintToken(Buffer.alloc(16, 9));
const FIVE = { perSecond: 0.5, burst: 5 };

const start = async () =>
  await startTokenizerUnderTest({
    rates: { order: { tokenize: FIVE, delete: FIVE }, paybill: { detokenize: FIVE, 'read-metadata': FIVE } },
  });
const batchOf = (count: number, item: object = CARD) => ({
  url: '/v1/tokens/batch',
  body: { items: Array.from({ length: count }, () => item) },
});

describe('a caller over its limit', () => {
  it('is refused with 429, the seconds to wait, and a problem document that says what to do', async () => {
    const tokenizer = await start();
    for (let call = 0; call < 5; call += 1) {
      expect((await tokenizer.send('order', { url: '/v1/tokens', body: CARD })).statusCode).toBe(201);
    }
    const refused = await tokenizer.send('order', { url: '/v1/tokens', body: CARD });
    expect(refused.headers).toMatchObject({
      'retry-after': '2',
      'content-type': expect.stringContaining('application/problem+json'),
    });
    expect([refused.statusCode, refused.json()]).toMatchObject([
      429,
      { status: 429, code: 'ERR_RATE_LIMITED', remedy: expect.stringContaining('Retry-After') },
    ]);
    expect(tokenizer.store.records.size).toBe(5);
    tokenizer.clock.now = new Date(tokenizer.clock.now.getTime() + 2_000);
    expect((await tokenizer.send('order', { url: '/v1/tokens', body: CARD })).statusCode).toBe(201);
  });

  it('pays for each item of a batch, and nothing of a batch that is refused is done', async () => {
    const tokenizer = await start();
    expect((await tokenizer.send('order', batchOf(3))).statusCode).toBe(200);
    const refused = await tokenizer.send('order', batchOf(4));
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '4']);
    expect(tokenizer.store.records.size).toBe(3);
    expect((await tokenizer.send('order', batchOf(2))).statusCode).toBe(200);
  });

  it('pays for items that are not valid too, and once for a batch that is too large', async () => {
    const tokenizer = await start();
    expect((await tokenizer.send('order', batchOf(1_001))).statusCode).toBe(413);
    expect((await tokenizer.send('order', batchOf(4, {}))).statusCode).toBe(200);
    expect((await tokenizer.send('order', batchOf(1))).statusCode).toBe(429);
  });

  it('is refused before its body is read', async () => {
    const tokenizer = await start();
    await tokenizer.send('order', batchOf(5));
    const refused = await tokenizer.send('order', { url: '/v1/tokens', body: 'not JSON' });
    expect(refused.statusCode).toBe(429);
  });

  it('is refused that operation alone, and others are not held up', async () => {
    const tokenizer = await start();
    for (let call = 0; call < 6; call += 1) {
      await tokenizer.send('order', { method: 'DELETE', url: `/v1/tokens/${UNKNOWN}` });
      await tokenizer.send('paybill', { url: '/v1/detokenize', body: { token: UNKNOWN } });
      await tokenizer.send('paybill', { method: 'GET', url: `/v1/tokens/${UNKNOWN}` });
    }
    const statuses = await Promise.all([
      tokenizer.send('order', { method: 'DELETE', url: `/v1/tokens/${UNKNOWN}` }),
      tokenizer.send('paybill', { url: '/v1/detokenize', body: { token: UNKNOWN } }),
      tokenizer.send('paybill', { url: '/v1/detokenize/batch', body: { items: [{ token: UNKNOWN }] } }),
      tokenizer.send('paybill', { method: 'GET', url: `/v1/tokens/${UNKNOWN}` }),
      tokenizer.send('order', { method: 'GET', url: `/v1/tokens/${UNKNOWN}` }),
      tokenizer.send('order', { url: '/v1/tokens', body: CARD }),
    ]);
    expect(statuses.map(({ statusCode }) => statusCode)).toEqual([429, 429, 429, 429, 404, 201]);
  });

  it('does not hold up health, readiness and the document', async () => {
    const tokenizer = await startTokenizerUnderTest({
      rates: { order: { 'read-metadata': { perSecond: 0.1, burst: 1 } } },
    });
    for (const url of ['/healthz', '/readyz', '/openapi.json', '/healthz']) {
      expect((await tokenizer.send('order', { method: 'GET', url })).statusCode).toBe(200);
    }
  });
});

describe('refusals', () => {
  it('are counted by node, operation and code, items of a batch among them, and name nothing that was sent', async () => {
    const tokenizer = await start();
    const made = await tokenizer.send('order', {
      url: '/v1/tokens',
      body: { fields: { note: { class: 'text', value: 'call first' } } },
    });
    const { token } = made.json<{ token: string }>();
    await tokenizer.send('outsider', { url: '/v1/detokenize', body: { token } });
    await tokenizer.send('stranger-4111111111111111', { url: '/v1/detokenize', body: { token } });
    await tokenizer.send('paybill', {
      url: '/v1/detokenize/batch',
      body: { items: [{ token }, { token }, { token: UNKNOWN }] },
    });
    await tokenizer.send('paybill', { url: '/v1/detokenize', body: { token, tenant: 'bank' } });
    await tokenizer.send('order', batchOf(5));
    const { body } = await tokenizer.send(undefined, { method: 'GET', url: '/metrics' });
    const counted = body.split('\n').filter((line) => line.startsWith('tokenmesh_tokenizer_refusals_total{'));
    expect(counted.toSorted()).toEqual(
      [
        'tokenmesh_tokenizer_refusals_total{node="outsider",operation="detokenize",code="ERR_OPERATION_DENIED"} 1',
        'tokenmesh_tokenizer_refusals_total{node="unknown",operation="detokenize",code="ERR_IDENTITY_UNKNOWN"} 1',
        'tokenmesh_tokenizer_refusals_total{node="paybill",operation="detokenize",code="ERR_CLASS_DENIED"} 2',
        'tokenmesh_tokenizer_refusals_total{node="paybill",operation="detokenize",code="ERR_TENANT_DENIED"} 1',
        'tokenmesh_tokenizer_refusals_total{node="order",operation="tokenize",code="ERR_RATE_LIMITED"} 1',
      ].toSorted(),
    );
  });
});
