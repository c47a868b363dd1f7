import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mintToken } from '../../../../sidecar/tokenizer/core/token.ts';
import { startTokenizerUnderTest, type TokenizerUnderTest } from '../../../support/tokenizer-under-test.ts';

const PAN = '4111111111111111';
const RECORD = {
  fields: { card: { class: 'pan', value: PAN }, note: { class: 'text', value: 'call first' } },
};
const UNKNOWN = mintToken(Buffer.alloc(16, 9));

let tokenizer: TokenizerUnderTest;
let token: string;
beforeAll(async () => {
  tokenizer = await startTokenizerUnderTest();
});
beforeEach(async () => {
  tokenizer.reset();
  const answer = await tokenizer.send('order', { url: '/v1/tokens', body: RECORD });
  token = answer.json<{ token: string }>().token;
});

describe('POST /v1/detokenize', () => {
  it('answers each field with its value and form', async () => {
    const answer = await tokenizer.send('paybill', {
      url: '/v1/detokenize',
      body: { token, purpose: 'payment' },
    });
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      { fields: { card: { value: PAN, form: 'plain' }, note: { value: null, form: 'redacted' } } },
    ]);
  });

  it("takes the caller's own purpose where none is stated, and masks for another", async () => {
    const reveal = async (body: object) => {
      const answer = await tokenizer.send('paybill', { url: '/v1/detokenize', body });
      return answer.json<{ fields: { card: unknown } }>().fields.card;
    };
    expect(await reveal({ token })).toEqual({ value: PAN, form: 'plain' });
    expect(await reveal({ token, fields: ['card'], purpose: 'curiosity' })).toEqual({
      value: '************1111',
      form: 'masked',
    });
  });

  it.each<[string, object, number, string]>([
    ['no token', {}, 400, 'ERR_REQUEST_INVALID'],
    ['a token that is a number', { token: 4111111111111111 }, 400, 'ERR_REQUEST_INVALID'],
    ['a malformed token', { token: PAN }, 400, 'ERR_TOKEN_MALFORMED'],
    ['a token with one letter changed', { token: UNKNOWN.replace(/.$/, 'z') }, 400, 'ERR_TOKEN_MALFORMED'],
    ['an unknown token', { token: UNKNOWN }, 404, 'ERR_TOKEN_UNKNOWN'],
    ['no field', { token: UNKNOWN, fields: [] }, 400, 'ERR_REQUEST_INVALID'],
    ['a property that there is not', { token: UNKNOWN, colour: 'red' }, 400, 'ERR_REQUEST_INVALID'],
  ])('refuses %s', async (_, body, status, code) => {
    const answer = await tokenizer.send('paybill', { url: '/v1/detokenize', body });
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([status, code]);
    expect(answer.body).not.toMatch(/\d{6}/);
  });

  it('refuses a field that the record has not, naming it', async () => {
    const body = { token, fields: ['card', 'mail'] };
    const answer = await tokenizer.send('paybill', { url: '/v1/detokenize', body });
    expect([answer.statusCode, answer.json()]).toMatchObject([
      400,
      { code: 'ERR_FIELD_UNKNOWN', detail: 'the record has no field "mail"' },
    ]);
  });

  it('refuses where all that is wanted is denied, naming class and identity', async () => {
    const answer = await tokenizer.send('paybill', {
      url: '/v1/detokenize',
      body: { token, fields: ['note'] },
    });
    expect([answer.statusCode, answer.json()]).toMatchObject([
      403,
      {
        code: 'ERR_CLASS_DENIED',
        detail: 'paybill.tokenmesh.internal may not detokenize fields of class text',
      },
    ]);
  });

  it('refuses a record that was changed in the store, with one text', async () => {
    const [[id, record] = ['', undefined]] = tokenizer.store.records;
    if (record === undefined) throw new Error('expected a record');
    const fields = new Map([
      ['card', { class: 'pan', message: Buffer.from('forged, at some length') } as const],
    ]);
    tokenizer.store.records.set(id, { ...record, fields });
    const answer = await tokenizer.send('paybill', { url: '/v1/detokenize', body: { token } });
    expect([answer.statusCode, answer.json()]).toMatchObject([
      500,
      { code: 'ERR_RECORD_UNOPENABLE', detail: 'the record does not open' },
    ]);
  });
});

describe('POST /v1/detokenize/batch', () => {
  it('answers one result for each item, in order', async () => {
    const items = [{ token }, { token: UNKNOWN }, { nothing: true }, { token, purpose: 'curiosity' }];
    const answer = await tokenizer.send('paybill', { url: '/v1/detokenize/batch', body: { items } });
    expect([answer.statusCode, answer.json()]).toMatchObject([
      200,
      {
        results: [
          { fields: { card: { value: PAN, form: 'plain' }, note: { value: null, form: 'redacted' } } },
          { error: { status: 404, code: 'ERR_TOKEN_UNKNOWN' } },
          { error: { status: 400, code: 'ERR_REQUEST_INVALID' } },
          { fields: { card: { value: '************1111', form: 'masked' } } },
        ],
      },
    ]);
  });

  it('refuses 1,001 items, whole', async () => {
    const items = Array.from({ length: 1001 }, () => ({ token }));
    const answer = await tokenizer.send('paybill', { url: '/v1/detokenize/batch', body: { items } });
    expect([answer.statusCode, tokenizer.sealer.opened]).toEqual([413, 0]);
  });
});
