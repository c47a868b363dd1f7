import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MockAgent, type MockPool } from 'undici';
import { TokenizerError } from '../../../../sidecar/tokenizer/client/tokenizer-answers.ts';
import {
  createTokenizerClient,
  type MeshTokenizer,
} from '../../../../sidecar/tokenizer/client/tokenizer-client.ts';
import { testCard } from '../../../../sample-apps/test-cards.ts';
import { sentBody, sentHeader } from '../../../support/sent-request.ts';

const PAN = testCard('visa', 16).number;
const FIELDS = { number: { class: 'pan', value: PAN } };
const CREATED = { token: 'tkn_one', createdAt: '2026-05-01T10:00:00Z' };
const TOKENIZED = { token: 'tkn_one', createdAt: new Date('2026-05-01T10:00:00Z') };

let agent: MockAgent;
let pool: MockPool;
let waits: number[];
let client: MeshTokenizer;

beforeEach(() => {
  agent = new MockAgent();
  agent.disableNetConnect();
  pool = agent.get('http://tokenizer');
  waits = [];
  client = createTokenizerClient({
    dispatcher: agent,
    random: () => 0.5,
    wait: async (delayMs) => waits.push(delayMs),
  });
});

afterEach(async () => {
  agent.assertNoPendingInterceptors();
  await agent.close();
});

function problem(status: number, code: string, remedy = 'do better'): object {
  return { type: `urn:tokenmesh:error:${code}`, title: 'No.', status, code, remedy, detail: `not ${PAN}` };
}

async function refusal(work: Promise<unknown>): Promise<TokenizerError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof TokenizerError) return error;
  throw new Error('expected a TokenizerError', { cause: error });
}

const create = { path: '/v1/tokens', method: 'POST' };
const reveal = { path: '/v1/detokenize', method: 'POST' };

describe('tokenizer client', () => {
  it('sends one record and answers its token', async () => {
    const seen: unknown[] = [];
    pool.intercept(create).reply(201, (options) => {
      seen.push(sentBody(options), sentHeader(options, 'content-type'));
      return CREATED;
    });
    expect(await client.tokenize({ fields: FIELDS })).toEqual(TOKENIZED);
    expect(seen).toEqual([{ fields: FIELDS }, 'application/json']);
  });

  it('answers a batch in order, each item with its token or its error', async () => {
    pool
      .intercept({ path: '/v1/tokens/batch', method: 'POST' })
      .reply(200, { results: [CREATED, { error: problem(400, 'ERR_VALUE_INVALID') }] });
    const [first, second] = await client.tokenizeBatch([{ fields: FIELDS }, { fields: FIELDS }]);
    expect(first).toEqual({ result: TOKENIZED });
    expect(second).toMatchObject({ error: { code: 'ERR_VALUE_INVALID', status: 400, remedy: 'do better' } });
  });

  it('sends a batch with its idempotency key again where no answer came, and one without a key not', async () => {
    const batch = { path: '/v1/tokens/batch', method: 'POST' };
    const keys: unknown[] = [];
    pool.intercept(batch).replyWithError(new Error('gone'));
    pool.intercept(batch).reply(200, (options) => {
      keys.push(sentHeader(options, 'idempotency-key'));
      return { results: [CREATED] };
    });
    expect(await client.tokenizeBatch([{ fields: FIELDS }], { idempotencyKey: 'load.1' })).toHaveLength(1);
    expect(keys).toEqual(['load.1']);
    pool.intercept(batch).replyWithError(new Error('gone'));
    expect((await refusal(client.tokenizeBatch([{ fields: FIELDS }]))).isTemporary).toBe(true);
  });

  it('refuses a batch answer with fewer results than items', async () => {
    pool.intercept({ path: '/v1/tokens/batch', method: 'POST' }).reply(200, { results: [CREATED] });
    expect((await refusal(client.tokenizeBatch([{ fields: FIELDS }, { fields: FIELDS }]))).isTemporary).toBe(
      true,
    );
  });

  it('answers the fields of a token with their form', async () => {
    const fields = { number: { value: null, form: 'redacted' }, expiry: { value: '12/39', form: 'plain' } };
    pool.intercept({ ...reveal, body: '{"token":"tkn_one","purpose":"payment"}' }).reply(200, { fields });
    expect(await client.detokenize({ token: 'tkn_one', purpose: 'payment' })).toEqual(fields);
  });

  it('answers the fields of many tokens in order, each item with its fields or its error', async () => {
    const fields = { expiry: { value: '12/39', form: 'plain' } };
    pool
      .intercept({ path: '/v1/detokenize/batch', method: 'POST' })
      .reply(200, { results: [{ error: problem(410, 'ERR_TOKEN_EXPIRED') }, { fields }] });
    const [first, second] = await client.detokenizeBatch([{ token: 'tkn_one' }, { token: 'tkn_two' }]);
    expect(first).toMatchObject({ error: { code: 'ERR_TOKEN_EXPIRED', isGone: true } });
    expect(second).toEqual({ result: fields });
  });

  it('describes a token of a tenant, with its times as times', async () => {
    const described = {
      tenant: 'bank',
      kind: 'random',
      format: 'uuid',
      fields: { number: { class: 'pan' } },
    };
    const answer = {
      ...CREATED,
      ...described,
      expiresAt: '2026-05-02T10:00:00.5Z',
      archivedAt: CREATED.createdAt,
    };
    pool.intercept({ path: '/v1/tokens/tkn_one?tenant=bank', method: 'GET' }).reply(200, answer);
    expect(await client.describe({ token: 'tkn_one', tenant: 'bank' })).toEqual({
      ...TOKENIZED,
      ...described,
      expiresAt: new Date('2026-05-02T10:00:00.5Z'),
      archivedAt: TOKENIZED.createdAt,
    });
  });

  it('deletes a token, and takes one that is gone for deleted', async () => {
    pool.intercept({ path: '/v1/tokens/tkn_one', method: 'DELETE' }).reply(204, '');
    await expect(client.delete({ token: 'tkn_one' })).resolves.toBeUndefined();
    pool
      .intercept({ path: '/v1/tokens/tkn_one', method: 'DELETE' })
      .reply(404, problem(404, 'ERR_TOKEN_UNKNOWN'));
    await expect(client.delete({ token: 'tkn_one' })).resolves.toBeUndefined();
  });

  it('refuses to take a missing route for a token that is gone', async () => {
    pool
      .intercept({ path: '/v1/tokens/tkn_one', method: 'DELETE' })
      .reply(404, problem(404, 'ERR_ROUTE_UNKNOWN'));
    expect(await refusal(client.delete({ token: 'tkn_one' }))).toMatchObject({
      code: 'ERR_ROUTE_UNKNOWN',
      isGone: false,
    });
  });
});

describe('tokenizer client, refused', () => {
  it('hands on code and remedy, and neither the detail nor digits', async () => {
    pool.intercept(create).reply(400, problem(400, 'ERR_VALUE_INVALID', `do not send ${PAN}`));
    const error = await refusal(client.tokenize({ fields: FIELDS }));
    expect(error).toMatchObject({
      code: 'ERR_VALUE_INVALID',
      remedy: 'do not send [digits]',
      status: 400,
      isAboutInput: true,
      isTemporary: false,
    });
    expect(error.message).not.toMatch(/\d{6}/);
  });

  it.each([
    [403, 'RBAC: access denied', 'ERR_TOKENIZER_REFUSED', false],
    [400, 'bad request', 'ERR_TOKENIZER_REFUSED', false],
    [502, 'upstream connect error', 'ERR_TOKENIZER_UNAVAILABLE', true],
    [200, '{}', 'ERR_TOKENIZER_REFUSED', false],
  ])('says what an answer %d that is no problem document means', async (status, body, code, isTemporary) => {
    pool.intercept(create).reply(status, body);
    expect(await refusal(client.tokenize({ fields: FIELDS }))).toMatchObject({
      code,
      isTemporary,
      isAboutInput: false,
    });
  });

  it('refuses an answer of another form', async () => {
    pool.intercept(create).reply(201, { tokens: [] });
    expect(await refusal(client.tokenize({ fields: FIELDS }))).toMatchObject({
      code: 'ERR_TOKENIZER_UNAVAILABLE',
    });
  });

  it.each([
    ['tokenize', create, () => client.tokenize({ fields: FIELDS })],
    ['detokenize', reveal, () => client.detokenize({ token: 'tkn_one' })],
  ])('sends %s once more after a 503, no sooner than it was told', async (_name, route, call) => {
    const headers = { 'retry-after': '1' };
    pool.intercept(route).reply(503, problem(503, 'ERR_STORE_UNAVAILABLE'), { headers }).times(2);
    expect(await refusal(call())).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', retryAfterSeconds: 1 });
    expect(waits).toEqual([1250]);
  });

  it('answers what the second call brought', async () => {
    pool.intercept(create).reply(503, {}, { headers: { 'retry-after': '0' } });
    pool.intercept(create).reply(201, CREATED);
    expect(await client.tokenize({ fields: FIELDS })).toEqual(TOKENIZED);
  });

  it.each([[{}], [{ 'retry-after': '60' }], [{ 'retry-after': 'Fri, 01 May 2026 10:00:00 GMT' }]])(
    'leaves a 503 to its caller with %j',
    async (headers) => {
      pool.intercept(create).reply(503, problem(503, 'ERR_STORE_UNAVAILABLE'), { headers });
      expect(await refusal(client.tokenize({ fields: FIELDS }))).toMatchObject({
        status: 503,
        isTemporary: true,
      });
      expect(waits).toEqual([]);
    },
  );

  it('never creates twice when no answer came', async () => {
    pool.intercept(create).replyWithError(new Error('connection reset'));
    expect(await refusal(client.tokenize({ fields: FIELDS }))).toMatchObject({
      status: undefined,
      isTemporary: true,
    });
    expect(waits).toEqual([]);
  });

  it('asks again for fields when no answer came', async () => {
    pool.intercept(reveal).replyWithError(new Error('connection reset'));
    pool.intercept(reveal).reply(200, { fields: {} });
    expect(await client.detokenize({ token: 'tkn_one' })).toEqual({});
    expect(waits).toEqual([125]);
  });

  it('gives up at its deadline, its retry included', async () => {
    const impatient = createTokenizerClient({ dispatcher: agent, deadlineMs: 40 });
    pool.intercept(reveal).reply(200, { fields: {} }).delay(5_000);
    const started = performance.now();
    const error = await refusal(impatient.detokenize({ token: 'tkn_one' }));
    expect(error).toMatchObject({ code: 'ERR_TOKENIZER_UNAVAILABLE', status: undefined });
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('does not wait past its deadline for a second call', async () => {
    const impatient = createTokenizerClient({ dispatcher: agent, deadlineMs: 60 });
    const headers = { 'retry-after': '2' };
    pool.intercept(create).reply(503, problem(503, 'ERR_STORE_UNAVAILABLE'), { headers });
    const started = performance.now();
    expect(await refusal(impatient.tokenize({ fields: FIELDS }))).toMatchObject({
      status: 503,
      retryAfterSeconds: 2,
    });
    expect(performance.now() - started).toBeLessThan(1_500);
  });
});
