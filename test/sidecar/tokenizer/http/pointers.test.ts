import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createMetrics } from '../../../../sidecar/tokenizer/http/metrics.ts';
import { observeMinting } from '../../../../sidecar/tokenizer/http/observe-minting.ts';
import { captureLog } from '../../../fakes/captured-log.ts';
import { startTokenizerUnderTest, type TokenizerUnderTest } from '../../../support/tokenizer-under-test.ts';

const PAN = '4111111111111111';
const CARD = { fields: { card: { class: 'pan', value: PAN } } };
const OTHER = { fields: { card: { class: 'pan', value: '5555555555554444' } } };

let tokenizer: TokenizerUnderTest;
beforeAll(async () => {
  tokenizer = await startTokenizerUnderTest();
});
beforeEach(() => tokenizer.reset());

async function tokenize(more: object): Promise<Record<string, unknown>> {
  return (await tokenizer.send('order', { url: '/v1/tokens', body: { ...CARD, ...more } })).json();
}

async function put(token: unknown, body: object): Promise<[number, Record<string, unknown>]> {
  const answer = await tokenizer.send('order', { method: 'PUT', url: `/v1/tokens/${String(token)}`, body });
  return [answer.statusCode, answer.json()];
}

describe('PUT /v1/tokens/{token}', () => {
  it('answers 200 with the token and the next version', async () => {
    const { token, version } = await tokenize({ kind: 'pointer' });
    expect(version).toBe(1);
    expect(await put(token, OTHER)).toEqual([200, { token, version: 2 }]);
    const described = await tokenizer.send('order', { method: 'GET', url: `/v1/tokens/${String(token)}` });
    expect(described.json()).toMatchObject({ kind: 'pointer', format: 'default', version: 2 });
  });

  it.each<[string, object, number, string]>([
    ['another version', { ...OTHER, version: 2 }, 409, 'ERR_VERSION_CONFLICT'],
    ['a version of none', { ...OTHER, version: 0 }, 400, 'ERR_REQUEST_INVALID'],
    ['no fields', { version: 1 }, 400, 'ERR_REQUEST_INVALID'],
    ['a kind', { ...OTHER, kind: 'random' }, 400, 'ERR_REQUEST_INVALID'],
    [
      'a value that does not fit',
      { fields: { card: { class: 'pan', value: '4' } } },
      400,
      'ERR_VALUE_INVALID',
    ],
  ])('refuses %s, and changes nothing', async (_, body, status, code) => {
    const { token } = await tokenize({ kind: 'pointer' });
    const before = tokenizer.store.records.get(`shop#${String(token)}`);
    expect(await put(token, body)).toMatchObject([status, { code }]);
    expect(tokenizer.store.records.get(`shop#${String(token)}`)).toBe(before);
  });

  it('refuses a token of another kind', async () => {
    const { token } = await tokenize({});
    expect(await put(token, OTHER)).toMatchObject([409, { code: 'ERR_KIND_NOT_POINTER' }]);
  });
});

describe('POST /v1/tokens with a format', () => {
  it('answers with the format that was given', async () => {
    expect(await tokenize({ format: 'pan' })).toMatchObject({
      token: expect.stringMatching(/^0\d{11}1111$/),
      format: 'pan',
    });
  });

  it.each<[string, object, number, string]>([
    ['a format for which the field is missing', { ...CARD, format: 'ssn' }, 400, 'ERR_FORMAT_UNFIT'],
    ['two words for exhaustion', { ...CARD, onExhaustion: 'shrink' }, 400, 'ERR_REQUEST_INVALID'],
    [
      'a small format that nobody asked for',
      { fields: { id: { class: 'ssn', value: '078-05-1120' } }, format: 'ssn-last-four' },
      400,
      'ERR_SMALL_FORMAT',
    ],
    [
      'a small format that is not granted',
      {
        fields: { id: { class: 'ssn', value: '078-05-1120' } },
        format: 'ssn-last-four',
        allowSmallFormat: true,
      },
      403,
      'ERR_SMALL_FORMAT_DENIED',
    ],
  ])('refuses %s', async (_, body, status, code) => {
    const answer = await tokenizer.send('order', { url: '/v1/tokens', body });
    expect(answer.json()).toMatchObject({ status, code });
  });
});

describe('a one-time token', () => {
  it('is answered once with 200, then with 410', async () => {
    const { token } = await tokenize({ kind: 'one-time' });
    const request = { url: '/v1/detokenize', body: { token } };
    expect((await tokenizer.send('paybill', request)).statusCode).toBe(200);
    const second = await tokenizer.send('paybill', request);
    expect([second.statusCode, second.json<{ code: string }>().code]).toEqual([410, 'ERR_TOKEN_CONSUMED']);
  });
});

describe('tokens that were taken', () => {
  it('are counted by format, and raise an alarm where none was free', async () => {
    const metrics = createMetrics({ process: false });
    const log = captureLog();
    const observer = observeMinting(metrics, log.logger);
    observer.tokenTaken('pan');
    observer.tokenTaken('pan');
    observer.formatExhausted('pan');
    const text = await metrics.text();
    expect(text).toContain('tokenmesh_token_collisions_total{format="pan"} 2');
    expect(text).toContain('tokenmesh_format_exhausted_total{format="pan"} 1');
    expect(log.lines()).toMatchObject([
      { level: 50, alarm: 'a token format has no free token left', format: 'pan' },
    ]);
  });
});
