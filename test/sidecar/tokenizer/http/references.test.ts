import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ROUTE_PROBLEMS } from '../../../../sidecar/tokenizer/http/route-problems.ts';
import { startTokenizerUnderTest, type TokenizerUnderTest } from '../../../support/tokenizer-under-test.ts';

const CARD = { fields: { card: { class: 'pan', value: '4111111111111111' } } };

let tokenizer: TokenizerUnderTest;
beforeAll(async () => {
  tokenizer = await startTokenizerUnderTest();
});
beforeEach(() => tokenizer.reset());

const put = (reference: string, body: object = CARD, node = 'order') =>
  tokenizer.send(node, { method: 'PUT', url: `/v1/references/${reference}`, body });

describe('PUT /v1/references/{reference}', () => {
  it('answers 201 where it made a token, 200 where it replaced a record, 409 with the version there is', async () => {
    const [made, replaced] = [await put('a-1'), await put('a-1', { ...CARD, version: 1 })];
    expect([made.statusCode, replaced.statusCode]).toEqual([201, 200]);
    const answer = made.json<{ token: string }>();
    expect(answer).toEqual({ token: answer.token, version: 1, createdAt: expect.any(String) as unknown });
    expect(replaced.json()).toEqual({ ...answer, version: 2 });
    const refused = await put('a-1', { ...CARD, version: 0 });
    expect([refused.statusCode, refused.json<{ detail: string }>().detail]).toEqual([
      409,
      'the record has another version: expected 0, got 2',
    ]);
  });

  it.each([
    '4111-1111-1111-1111',
    '123456',
    'a123456b',
    '1.2.3.4.5.6.7.8.9.0.1.2',
    'a%20b',
    'a'.repeat(65),
    '%C3%A9',
  ])('refuses a reference that may be a value: %s', async (reference) => {
    const answer = await put(reference);
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([400, 'ERR_REQUEST_INVALID']);
    expect(tokenizer.store.records.size).toBe(0);
  });

  it.each(['a', '12345', 'customer_17.card', '5a1b2c3d-0e1f-4a2b-8c3d-4e5f6a7b8c9d', 'a'.repeat(64)])(
    'takes any other id of letters, digits, dots, hyphens and underscores: %s',
    async (reference) => {
      expect((await put(reference)).statusCode).toBe(201);
    },
  );

  it('refuses a field that is to be searched for, as its document says', async () => {
    const searchable = { fields: { card: { ...CARD.fields.card, searchable: true } } };
    const answer = await put('a', searchable);
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([400, 'ERR_KIND_UNSUPPORTED']);
    expect(ROUTE_PROBLEMS['PUT /v1/references/{reference}']?.codes).toContain('ERR_KIND_UNSUPPORTED');
  });

  it('refuses who may not tokenize', async () => {
    expect((await put('a', CARD, 'paybill')).statusCode).toBe(403);
  });
});
