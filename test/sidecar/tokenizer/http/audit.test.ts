import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startTokenizerUnderTest, type TokenizerUnderTest } from '../../../support/tokenizer-under-test.ts';

const CARD = { fields: { card: { class: 'pan', value: '4111111111111111' } } };
const REQUEST_ID = '5f1d7d0a-6f4a-4b52-9d0e-0123456789ab';

let tokenizer: TokenizerUnderTest;
beforeAll(async () => {
  tokenizer = await startTokenizerUnderTest();
});
beforeEach(() => tokenizer.reset());

async function newToken(headers: Record<string, string> = {}): Promise<string> {
  const answer = await tokenizer.send('order', { url: '/v1/tokens', body: CARD, headers });
  return answer.json<{ token: string }>().token;
}

describe('the audit of the service', () => {
  it("names each record's request by the id that Envoy gave it", async () => {
    await newToken({ 'x-request-id': REQUEST_ID });
    expect((await tokenizer.audited.records()).at(-1)).toMatchObject({
      requestId: REQUEST_ID,
      identity: 'order.tokenmesh.internal',
      operation: 'tokenize',
    });
  });

  it('shows no class in the answer to a reveal, which only the audit needs', async () => {
    const token = await newToken();
    const answer = await tokenizer.send('paybill', { url: '/v1/detokenize', body: { token } });
    expect(answer.json()).toEqual({ fields: { card: { value: '4111111111111111', form: 'plain' } } });
  });

  it('refuses with 503 and Retry-After where it cannot be written', async () => {
    const token = await newToken();
    tokenizer.audited.log.isDown = true;
    const attempts = [
      tokenizer.send('order', { url: '/v1/tokens', body: CARD }),
      tokenizer.send('order', { url: '/v1/tokens/batch', body: { items: [CARD] } }),
      tokenizer.send('paybill', { url: '/v1/detokenize', body: { token } }),
      tokenizer.send('paybill', { url: '/v1/detokenize/batch', body: { items: [{ token }] } }),
      tokenizer.send('order', { method: 'GET', url: `/v1/tokens/${token}` }),
      tokenizer.send('order', { method: 'DELETE', url: `/v1/tokens/${token}` }),
    ];
    for (const answer of await Promise.all(attempts)) {
      expect(answer.statusCode).toBe(503);
      expect(answer.headers['retry-after']).toBe('1');
      expect(answer.json()).toMatchObject({ code: 'ERR_AUDIT_UNAVAILABLE', remedy: expect.any(String) });
      expect(answer.body).not.toMatch(/tkn_|4111/);
    }
    tokenizer.audited.log.isDown = false;
    expect((await tokenizer.send('paybill', { url: '/v1/detokenize', body: { token } })).statusCode).toBe(
      200,
    );
  });
});
