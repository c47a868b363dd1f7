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

const VAULT_REQUESTS = [
  ['POST', '/v1/tokens', CARD],
  ['POST', '/v1/tokens/batch', { items: [CARD] }],
  ['POST', '/v1/detokenize', { token: UNKNOWN }],
  ['POST', '/v1/detokenize/batch', { items: [{ token: UNKNOWN }] }],
  ['POST', '/v1/text/tokenize', { text: 'nothing' }],
  ['POST', '/v1/text/detokenize', { text: UNKNOWN }],
  ['GET', `/v1/tokens/${UNKNOWN}`, undefined],
  ['DELETE', `/v1/tokens/${UNKNOWN}`, undefined],
  ['PUT', `/v1/tokens/${UNKNOWN}`, CARD],
] as const;

async function codeOf(
  node: string | undefined,
  method: 'GET' | 'POST' | 'DELETE' | 'PUT',
  url: string,
  body?: object,
) {
  const answer = await tokenizer.send(node, { method, url, ...(body === undefined ? {} : { body }) });
  return [answer.statusCode, answer.json<{ code: string }>().code];
}

describe('a request to the vault', () => {
  it.each(VAULT_REQUESTS)('is refused without an identity: %s %s', async (method, url, body) => {
    expect(await codeOf(undefined, method, url, body)).toEqual([403, 'ERR_IDENTITY_MISSING']);
  });

  it.each(VAULT_REQUESTS)('is refused from a stranger: %s %s', async (method, url, body) => {
    expect(await codeOf('stranger', method, url, body)).toEqual([403, 'ERR_IDENTITY_UNKNOWN']);
  });

  it.each(VAULT_REQUESTS)('is refused from a node without a right: %s %s', async (method, url, body) => {
    for (const node of ['outsider', 'gateway', 'tokenizer']) {
      expect(await codeOf(node, method, url, body)).toEqual([403, 'ERR_OPERATION_DENIED']);
    }
  });

  it('is refused from two identities at once', async () => {
    const headers = { 'x-tokenmesh-identity': 'order.tokenmesh.internal, paybill.tokenmesh.internal' };
    const answer = await tokenizer.send(undefined, { url: '/v1/tokens', body: CARD, headers });
    expect(answer.json()).toMatchObject({ code: 'ERR_IDENTITY_UNKNOWN' });
  });

  it('is refused before its body is looked at', async () => {
    const answer = await tokenizer.send('outsider', { url: '/v1/tokens', body: 'not JSON' });
    expect(answer.json()).toMatchObject({ code: 'ERR_OPERATION_DENIED' });
  });
});

describe('health and readiness', () => {
  it.each(['/healthz', '/readyz'])(
    'are told to every node of the mesh and inside the task: %s',
    async (url) => {
      for (const node of ['order', 'outsider', undefined]) {
        const answer = await tokenizer.send(node, { method: 'GET', url });
        expect([answer.statusCode, answer.json()]).toEqual([200, { status: 'ok' }]);
      }
      expect(await codeOf('stranger', 'GET', url)).toEqual([403, 'ERR_IDENTITY_UNKNOWN']);
    },
  );

  it('differ while the store is down: the process is there, and not ready', async () => {
    tokenizer.store.isDown = true;
    expect((await tokenizer.send('order', { method: 'GET', url: '/healthz' })).statusCode).toBe(200);
    expect(await codeOf('order', 'GET', '/readyz')).toEqual([503, 'ERR_STORE_UNAVAILABLE']);
  });
});

describe('GET /openapi.json', () => {
  it('describes every route in OpenAPI 3.1, made from the schemas that check', async () => {
    const answer = await tokenizer.send('outsider', { method: 'GET', url: '/openapi.json' });
    const document = answer.json<{ openapi: string; paths: Record<string, object> }>();
    expect(document.openapi).toBe('3.1.0');
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(routes.toSorted()).toEqual([
      'DELETE /v1/tokens/{token}',
      'GET /healthz',
      'GET /metrics',
      'GET /openapi.json',
      'GET /readyz',
      'GET /v1/tokens/{token}',
      'POST /v1/detokenize',
      'POST /v1/detokenize/batch',
      'POST /v1/text/detokenize',
      'POST /v1/text/tokenize',
      'POST /v1/tokens',
      'POST /v1/tokens/batch',
      'POST /v1/tokens/validate',
      'POST /v1/tokens/{token}/archive',
      'POST /v1/tokens/{token}/restore',
      'POST /v1/values/search',
      'POST /v1/values/tokenized',
      'PUT /v1/references/{reference}',
      'PUT /v1/tokens/{token}',
    ]);
    expect(answer.body).toContain('"maxItems":1000');
    const examples = answer.body.match(/tkn_[a-z]+/g) ?? [];
    expect([examples.length > 0, examples.every(isToken)]).toEqual([true, true]);
  });

  it('is for nodes of the mesh only', async () => {
    expect(await codeOf(undefined, 'GET', '/openapi.json')).toEqual([403, 'ERR_IDENTITY_MISSING']);
  });
});

describe('GET /metrics', () => {
  it('counts requests and items inside the task, with neither a token nor a value in a label', async () => {
    const tokenizer = await startTokenizerUnderTest();
    const made = await tokenizer.send('order', { url: '/v1/tokens', body: CARD });
    const { token } = made.json<{ token: string }>();
    const items = [{ token }, { token: UNKNOWN }, { token: PAN }];
    await tokenizer.send('paybill', { url: '/v1/detokenize/batch', body: { items } });
    await tokenizer.send('order', { method: 'GET', url: `/v1/tokens/${token}` });
    await tokenizer.send(`evil${PAN}`, { method: 'GET', url: `/v1/${PAN}` });
    const answer = await tokenizer.send(undefined, { method: 'GET', url: '/metrics' });
    expect(answer.headers['content-type']).toContain('text/plain');
    expect(answer.body).toContain('tokenmesh_tokenizer_items_total{operation="tokenize",outcome="ok"} 1');
    expect(answer.body).toContain('items_total{operation="detokenize",outcome="ERR_TOKEN_UNKNOWN"} 1');
    expect(answer.body).toContain('items_total{operation="detokenize",outcome="ERR_TOKEN_MALFORMED"} 1');
    expect(answer.body).toContain('route="/v1/tokens/:token",method="GET",status="200",node="order"');
    expect(answer.body).toContain('route="unknown",method="GET",status="404",node="unknown"');
    expect(answer.body.match(/\{.*\}/g)?.filter((labels) => /tkn_[b-t]|\d{6}/.test(labels))).toEqual([]);
  });

  it('is refused to everybody in the mesh', async () => {
    expect(await codeOf('order', 'GET', '/metrics')).toEqual([403, 'ERR_LOCAL_ONLY']);
  });
});

describe('the log', () => {
  it('has one line for each request, with neither a token nor a value, for failures too', async () => {
    const tokenizer = await startTokenizerUnderTest();
    const made = await tokenizer.send('order', { url: '/v1/tokens', body: CARD });
    const { token } = made.json<{ token: string }>();
    await tokenizer.send('paybill', { url: '/v1/detokenize', body: { token } });
    await tokenizer.send('paybill', { url: '/v1/detokenize', body: { token: PAN } });
    await tokenizer.send('order', { method: 'GET', url: `/v1/tokens/${token}?tenant=${PAN}` });
    tokenizer.store.isDown = true;
    await tokenizer.send('order', { url: '/v1/tokens', body: CARD });
    const answered = tokenizer.log.lines().filter((line) => line['msg'] === 'request answered');
    expect(answered.map((line) => [line['route'], line['status']])).toEqual([
      ['/v1/tokens', 201],
      ['/v1/detokenize', 200],
      ['/v1/detokenize', 400],
      ['/v1/tokens/:token', 403],
      ['/v1/tokens', 503],
    ]);
    expect(tokenizer.log.text()).not.toContain(token);
    expect(tokenizer.log.text()).not.toContain(PAN.slice(0, 6));
  });
});
