import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startTokenizerUnderTest, type TokenizerUnderTest } from '../../../support/tokenizer-under-test.ts';

const CARD = { fields: { card: { class: 'pan', value: '4111111111111111' } } };
const WRONG = { fields: { card: { class: 'pan' } } };

let tokenizer: TokenizerUnderTest;
beforeAll(async () => {
  tokenizer = await startTokenizerUnderTest();
});
beforeEach(() => {
  tokenizer.reset();
  tokenizer.idempotency.entries.clear();
});

const send = (key: string, body: object = CARD, url = '/v1/tokens') =>
  tokenizer.send('order', { url, body, headers: { 'idempotency-key': key } });

describe('the header Idempotency-Key', () => {
  it('makes a call answer the same again, and the answer say so', async () => {
    const [first, again] = [await send('"a key"'), await send('"a key"')];
    expect([first.statusCode, again.statusCode]).toEqual([201, 201]);
    expect(again.json()).toEqual(first.json());
    expect(first.headers['idempotency-replayed']).toBeUndefined();
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(tokenizer.store.records.size).toBe(1);
  });

  it('is the same key without its quotes', async () => {
    const [first, again] = [await send('"5a1b-c"'), await send('5a1b-c')];
    expect(again.json()).toEqual(first.json());
  });

  it('goes with a batch, of which items that are no requests are refused each time', async () => {
    const items = [CARD, WRONG, CARD];
    const first = await send('b', { items }, '/v1/tokens/batch');
    const again = await send('b', { items }, '/v1/tokens/batch');
    expect(again.json()).toEqual(first.json());
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(tokenizer.store.records.size).toBe(2);
    const other = await send('b', { items: [CARD, { fields: {} }, CARD] }, '/v1/tokens/batch');
    expect([other.statusCode, other.json<{ code: string }>().code]).toEqual([
      422,
      'ERR_IDEMPOTENCY_KEY_REUSED',
    ]);
  });

  it.each(['', '""', 'two words', '"é"', `"${'a'.repeat(256)}"`, '"a" "b"', '"a', '"a", "b"'])(
    'is refused where it is no key: %s',
    async (key) => {
      const answer = await send(key);
      expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([
        400,
        'ERR_IDEMPOTENCY_KEY_MALFORMED',
      ]);
      expect(tokenizer.store.records.size).toBe(0);
    },
  );

  it('refuses another call with 409 and the time to wait while the first is under way', async () => {
    await send('k');
    for (const [id, entry] of tokenizer.idempotency.entries) {
      const leaseUntil = new Date(tokenizer.clock.now.getTime() + 1000);
      tokenizer.idempotency.entries.set(id, { ...entry, results: [], leaseUntil });
    }
    const answer = await send('k');
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([
      409,
      'ERR_IDEMPOTENCY_IN_FLIGHT',
    ]);
    expect(answer.headers['retry-after']).toBe('1');
  });

  it('leaves a record in the audit for each answer that hands out a token', async () => {
    const before = (await tokenizer.audited.records()).length;
    const { token } = (await send('k')).json<{ token: string }>();
    await send('k');
    const records = (await tokenizer.audited.records()).slice(before);
    expect(records).toMatchObject([
      { operation: 'tokenize', outcome: 'ok', row: expect.any(String) },
      { operation: 'tokenize', outcome: 'ok', policies: ['mesh.order.tokenize'] },
    ]);
    expect(records[1]).not.toHaveProperty('row');
    expect(records[0]?.token).toBe(records[1]?.token);
    expect(JSON.stringify(records)).not.toContain(token);
  });
});
