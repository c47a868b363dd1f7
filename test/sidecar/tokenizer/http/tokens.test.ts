import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { isToken, mintToken } from '../../../../sidecar/tokenizer/core/token.ts';
import { startTokenizerUnderTest, type TokenizerUnderTest } from '../../../support/tokenizer-under-test.ts';

const PAN = '4111111111111111';
const CARD = { fields: { card: { class: 'pan', value: PAN } } };
const UNKNOWN = mintToken(Buffer.alloc(16, 9));

let tokenizer: TokenizerUnderTest;
beforeAll(async () => {
  tokenizer = await startTokenizerUnderTest();
});
beforeEach(() => tokenizer.reset());

async function tokenize(body: object = CARD): Promise<string> {
  const answer = await tokenizer.send('order', { url: '/v1/tokens', body });
  return answer.json<{ token: string }>().token;
}

describe('POST /v1/tokens', () => {
  it('answers 201 with the token and its times', async () => {
    const answer = await tokenizer.send('order', { url: '/v1/tokens', body: { ...CARD, ttlSeconds: 60 } });
    expect(answer.statusCode).toBe(201);
    const { token, ...times } = answer.json<Record<string, string>>();
    expect(isToken(token ?? '')).toEqual({ format: 'default', certain: true });
    expect(times).toEqual({ createdAt: '2026-03-04T05:06:07.008Z', expiresAt: '2026-03-04T05:07:07.008Z' });
  });

  it('accepts the kind, format and tenant that it has by default', async () => {
    const body = { ...CARD, kind: 'random', format: 'default', tenant: 'shop' };
    const answer = await tokenizer.send('order', { url: '/v1/tokens', body });
    expect(answer.statusCode).toBe(201);
    expect(Object.keys(answer.json())).toEqual(['token', 'createdAt']);
  });

  const value = (text: string) => ({ fields: { card: { class: 'pan', value: text } } });
  it.each<[string, object | string | undefined, number, string]>([
    ['no body', undefined, 400, 'ERR_BODY_MISSING'],
    ['an empty body', '', 400, 'ERR_BODY_MISSING'],
    ['a body that is not JSON', '{"fields":', 400, 'ERR_BODY_NOT_JSON'],
    ['a body that is a list', '[]', 400, 'ERR_REQUEST_INVALID'],
    ['no fields', {}, 400, 'ERR_REQUEST_INVALID'],
    ['an empty record', { fields: {} }, 400, 'ERR_REQUEST_INVALID'],
    ['a field without a class', { fields: { card: { value: PAN } } }, 400, 'ERR_REQUEST_INVALID'],
    ['a field that is only text', { fields: { card: PAN } }, 400, 'ERR_REQUEST_INVALID'],
    [
      'a value that is a number',
      { fields: { card: { class: 'pan', value: 4111111111111111 } } },
      400,
      'ERR_REQUEST_INVALID',
    ],
    ['a property that there is not', { ...CARD, colour: 'red' }, 400, 'ERR_REQUEST_INVALID'],
    [
      'a property that a field has not',
      { fields: { card: { class: 'pan', value: PAN, x: 1 } } },
      400,
      'ERR_REQUEST_INVALID',
    ],
    [
      'a field name that starts with a digit',
      { fields: { '1card': { class: 'pan', value: PAN } } },
      400,
      'ERR_REQUEST_INVALID',
    ],
    [
      'a prototype for a field',
      '{"fields":{"__proto__":{"class":"pan","value":"1"}}}',
      400,
      'ERR_BODY_NOT_JSON',
    ],
    ['a life of no time', { ...CARD, ttlSeconds: 0 }, 400, 'ERR_REQUEST_INVALID'],
    ['a life of half a second', { ...CARD, ttlSeconds: 0.5 }, 400, 'ERR_REQUEST_INVALID'],
    ['a life of more than ten years', { ...CARD, ttlSeconds: 315_360_001 }, 400, 'ERR_REQUEST_INVALID'],
    ['an unknown class', { fields: { card: { class: 'card', value: PAN } } }, 400, 'ERR_CLASS_UNSUPPORTED'],
    [
      'a class that there is not',
      { fields: { code: { class: 'cvc', value: '123' } } },
      400,
      'ERR_CLASS_UNSUPPORTED',
    ],
    ['an unknown kind', { ...CARD, kind: 'eternal' }, 400, 'ERR_KIND_UNSUPPORTED'],
    ['an unknown format', { ...CARD, format: 'iban' }, 400, 'ERR_KIND_UNSUPPORTED'],
    ['a card number that fails the Luhn check', value('411111111111111'), 400, 'ERR_VALUE_INVALID'],
    [
      'a value over its size',
      { fields: { note: { class: 'text', value: 'a'.repeat(4097) } } },
      413,
      'ERR_VALUE_TOO_LARGE',
    ],
    ['a body over eight megabytes', `"${'a'.repeat(8 * 1024 * 1024)}"`, 413, 'ERR_BODY_TOO_LARGE'],
    ['a tenant of somebody else', { ...CARD, tenant: 'rival' }, 403, 'ERR_TENANT_DENIED'],
  ])(
    'refuses %s with a problem that says what to do, and none of the value',
    async (_, body, status, code) => {
      const answer = await tokenizer.send('order', {
        url: '/v1/tokens',
        ...(body === undefined ? {} : { body }),
      });
      expect(answer.statusCode).toBe(status);
      expect(answer.headers['content-type']).toContain('application/problem+json');
      expect(answer.json()).toMatchObject({ status, code, type: `urn:tokenmesh:error:${code}` });
      expect(answer.json<{ remedy: string }>().remedy).not.toBe('');
      expect(answer.body).not.toContain(PAN.slice(0, 6));
      expect(tokenizer.store.records.size).toBe(0);
    },
  );

  it('refuses 33 fields, and takes 32', async () => {
    const record = (count: number) => ({
      fields: Object.fromEntries(
        Array.from({ length: count }, (_, index) => [`f${index}`, { class: 'text', value: 'x' }]),
      ),
    });
    expect((await tokenizer.send('order', { url: '/v1/tokens', body: record(33) })).statusCode).toBe(400);
    expect((await tokenizer.send('order', { url: '/v1/tokens', body: record(32) })).statusCode).toBe(201);
  });

  it('refuses another media type', async () => {
    const request = {
      url: '/v1/tokens',
      body: JSON.stringify(CARD),
      headers: { 'content-type': 'text/plain' },
    };
    const answer = await tokenizer.send('order', request);
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([415, 'ERR_MEDIA_TYPE']);
  });

  it.each([
    ['the store', 'ERR_STORE_UNAVAILABLE'],
    ['the key', 'ERR_KEY_UNAVAILABLE'],
  ])('answers 503 with Retry-After while %s is not available', async (part, code) => {
    tokenizer[part === 'the store' ? 'store' : 'sealer'].isDown = true;
    const answer = await tokenizer.send('order', { url: '/v1/tokens', body: CARD });
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([503, code]);
    expect(answer.headers['retry-after']).toBe('1');
    expect(tokenizer.store.records.size).toBe(0);
  });
});

describe('POST /v1/tokens/batch', () => {
  async function batch(items: unknown): Promise<{ status: number; results: Record<string, unknown>[] }> {
    const answer = await tokenizer.send('order', { url: '/v1/tokens/batch', body: { items } });
    return { status: answer.statusCode, results: answer.json<{ results: [] }>().results };
  }

  it('answers one result for each item, in order, whatever is wrong with some', async () => {
    const { status, results } = await batch([
      CARD,
      'not a record',
      { ...CARD, colour: 'red' },
      { fields: { card: { class: 'pan', value: '4111111111111112' } } },
      { fields: { note: { class: 'text', value: 'a'.repeat(4097) } } },
      CARD,
    ]);
    expect(status).toBe(200);
    const codes = results.map((each) => (each['error'] as { code: string } | undefined)?.code ?? 'ok');
    expect(codes).toEqual([
      'ok',
      'ERR_REQUEST_INVALID',
      'ERR_REQUEST_INVALID',
      'ERR_VALUE_INVALID',
      'ERR_VALUE_TOO_LARGE',
      'ok',
    ]);
    expect(results.filter((each) => isToken(String(each['token'])))).toHaveLength(2);
    expect(tokenizer.store.records.size).toBe(2);
    expect(results[1]?.['error']).toMatchObject({ status: 400, detail: '/items/1 must be object' });
    expect(results[4]?.['error']).toMatchObject({ status: 413, remedy: expect.any(String) as unknown });
  });

  it('takes a thousand items', async () => {
    const { results } = await batch(Array.from({ length: 1000 }, () => CARD));
    expect(new Set(results.map((each) => each['token'])).size).toBe(1000);
  });

  it.each<[string, object, number, string]>([
    ['1,001 items', { items: Array.from({ length: 1001 }, () => CARD) }, 413, 'ERR_TOO_MANY_ITEMS'],
    [
      '1,001 items, some of them invalid',
      { items: Array.from({ length: 1001 }, () => 1) },
      413,
      'ERR_TOO_MANY_ITEMS',
    ],
    ['no item', { items: [] }, 400, 'ERR_REQUEST_INVALID'],
    ['no items', {}, 400, 'ERR_REQUEST_INVALID'],
    ['items that are not a list', { items: CARD }, 400, 'ERR_REQUEST_INVALID'],
    ['a property beside the items', { items: [CARD], colour: 'red' }, 400, 'ERR_REQUEST_INVALID'],
    ['a property beside items that are invalid', { items: [1], colour: 'red' }, 400, 'ERR_REQUEST_INVALID'],
  ])('refuses %s, whole', async (_, body, status, code) => {
    const answer = await tokenizer.send('order', { url: '/v1/tokens/batch', body });
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([status, code]);
    expect(tokenizer.store.records.size).toBe(0);
  });

  it('refuses no body as a missing one', async () => {
    const answer = await tokenizer.send('order', { url: '/v1/tokens/batch' });
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([400, 'ERR_BODY_MISSING']);
  });

  it('answers 503 where nothing came of it for an outage', async () => {
    tokenizer.store.isDown = true;
    const answer = await tokenizer.send('order', { url: '/v1/tokens/batch', body: { items: [CARD, CARD] } });
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '1']);
  });
});

describe('GET /v1/tokens/{token}', () => {
  it('tells what is known, without a value', async () => {
    const token = await tokenize();
    const answer = await tokenizer.send('paybill', { method: 'GET', url: `/v1/tokens/${token}` });
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      {
        token,
        tenant: 'shop',
        createdAt: '2026-03-04T05:06:07.008Z',
        kind: 'random',
        format: 'default',
        fields: { card: { class: 'pan' } },
      },
    ]);
  });

  it.each([
    ['a malformed token', '/v1/tokens/4111111111111111', 400, 'ERR_TOKEN_MALFORMED'],
    ['an unknown token', `/v1/tokens/${UNKNOWN}`, 404, 'ERR_TOKEN_UNKNOWN'],
    ['a tenant of somebody else', `/v1/tokens/${UNKNOWN}?tenant=rival`, 403, 'ERR_TENANT_DENIED'],
    ['a parameter that there is not', `/v1/tokens/${UNKNOWN}?colour=red`, 400, 'ERR_REQUEST_INVALID'],
    ['an unknown route', '/v1/nothing', 404, 'ERR_ROUTE_UNKNOWN'],
  ])('refuses %s', async (_, url, status, code) => {
    const answer = await tokenizer.send('order', { method: 'GET', url });
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([status, code]);
    expect(answer.body).not.toMatch(/\d{6}/);
  });

  it('refuses an expired token with 410', async () => {
    const token = await tokenize({ ...CARD, ttlSeconds: 1 });
    tokenizer.clock.now = new Date(tokenizer.clock.now.getTime() + 1000);
    const answer = await tokenizer.send('order', { method: 'GET', url: `/v1/tokens/${token}` });
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([410, 'ERR_TOKEN_EXPIRED']);
  });
});

describe('DELETE /v1/tokens/{token}', () => {
  it('answers 204, then 404', async () => {
    const token = await tokenize();
    const request = { method: 'DELETE', url: `/v1/tokens/${token}` } as const;
    const first = await tokenizer.send('order', request);
    expect([first.statusCode, first.body]).toEqual([204, '']);
    expect((await tokenizer.send('order', request)).statusCode).toBe(404);
  });

  it('refuses a caller who may not delete', async () => {
    const token = await tokenize();
    const answer = await tokenizer.send('paybill', { method: 'DELETE', url: `/v1/tokens/${token}` });
    expect([answer.statusCode, tokenizer.store.records.size]).toEqual([403, 1]);
  });

  it('refuses a method that a token does not take, and tells those that it does', async () => {
    const answer = await tokenizer.send('order', { method: 'PATCH', url: `/v1/tokens/${UNKNOWN}`, body: {} });
    expect([answer.statusCode, answer.headers['allow']]).toEqual([405, 'GET, PUT, DELETE']);
  });
});
