import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { testCard } from '../../../../sample-apps/test-cards.ts';
import type { TextDetokenized, TextTokenized } from '../../../../sidecar/tokenizer/core/text/text-service.ts';
import { mintToken } from '../../../../sidecar/tokenizer/core/token.ts';
import { startTokenizerUnderTest, type TokenizerUnderTest } from '../../../support/tokenizer-under-test.ts';

const PAN = testCard('visa', 16).number;
const GROUPED = (PAN.match(/.{4}/g) ?? []).join(' ');
const TEXT = `Ann <ann@example.com> paid with card ${GROUPED} from 192.0.2.7`;
const UNKNOWN = mintToken(Buffer.alloc(16, 9));

let tokenizer: TokenizerUnderTest;
beforeAll(async () => {
  tokenizer = await startTokenizerUnderTest();
});
beforeEach(() => tokenizer.reset());

/** The answer, whichever of text and document it has. */
type Tokenized = TextTokenized & { readonly text: string; readonly json: unknown };
type Detokenized = TextDetokenized & { readonly text: string; readonly json: unknown };

async function tokenize(body: object): Promise<Tokenized> {
  const answer = await tokenizer.send('order', { url: '/v1/text/tokenize', body });
  expect(answer.statusCode).toBe(200);
  return answer.json<Tokenized>();
}

async function detokenize(body: object): Promise<Detokenized> {
  const answer = await tokenizer.send('paybill', { url: '/v1/text/detokenize', body });
  expect(answer.statusCode).toBe(200);
  return answer.json<Detokenized>();
}

async function refusal(
  node: string,
  route: string,
  body: object | string,
): Promise<[number, string, string]> {
  const answer = await tokenizer.send(node, { url: `/v1/text/${route}`, body });
  return [answer.statusCode, answer.json<{ code: string }>().code, answer.body];
}

describe('POST /v1/text/tokenize', () => {
  it('puts a token in place of each finding, and tells where it was and how it looks', async () => {
    const { text, findings } = await tokenize({ text: TEXT });
    expect(findings.map((each) => [each.class, TEXT.slice(each.start, each.end), each.masked])).toEqual([
      ['email', 'ann@example.com', 'a***@example.com'],
      ['pan', GROUPED, `************${PAN.slice(-4)}`],
      ['ip', '192.0.2.7', '192.0.***'],
    ]);
    const [email, pan, ip] = findings.map(({ token }) => token);
    expect(text).toBe(`Ann <${email}> paid with card ${pan} from ${ip}`);
    expect(JSON.stringify(findings)).not.toContain('ann@');
    expect(tokenizer.store.records.size).toBe(3);
  });

  it('makes records of one field like any others, for as long as is asked', async () => {
    const { findings } = await tokenize({ text: PAN, ttlSeconds: 60 });
    const token = findings[0]?.token ?? '';
    const described = await tokenizer.send('order', { method: 'GET', url: `/v1/tokens/${token}` });
    expect(described.json()).toMatchObject({
      expiresAt: '2026-03-04T05:07:07.008Z',
      fields: { value: { class: 'pan' } },
    });
    const revealed = await tokenizer.send('paybill', { url: '/v1/detokenize', body: { token } });
    expect(revealed.json()).toEqual({ fields: { value: { value: PAN, form: 'plain' } } });
  });

  it('gives a value that is there twice one token, and another spelling of it another', async () => {
    const { findings } = await tokenize({ text: `${PAN}, ${PAN}, ${GROUPED}` });
    const [one, same, other] = findings.map(({ token }) => token);
    expect(same).toBe(one);
    expect(other).not.toBe(one);
    expect(tokenizer.store.records.size).toBe(2);
  });

  it('puts masks in their place where that is asked, and stores nothing', async () => {
    const { text, findings } = await tokenize({ text: TEXT, mode: 'mask' });
    expect(text).toBe(`Ann <a***@example.com> paid with card ************${PAN.slice(-4)} from 192.0.***`);
    expect(findings.some((each) => 'token' in each)).toBe(false);
    expect(tokenizer.store.records.size).toBe(0);
  });

  it('never stores a security code, but masks it', async () => {
    const { json, findings } = await tokenize({ json: { cvv: '123', n: 1 } });
    expect(json).toEqual({ cvv: '***', n: 1 });
    expect(findings).toEqual([
      { class: 'cvv', path: '/cvv', start: 0, end: 3, confidence: 0.99, masked: '***' },
    ]);
    expect(tokenizer.store.records.size).toBe(0);
  });

  it('looks for the classes that are asked for, and for phones of a country', async () => {
    expect((await tokenize({ text: TEXT, classes: ['ip'] })).findings.map((each) => each.class)).toEqual([
      'ip',
    ]);
    expect((await tokenize({ text: 'call (415) 555-0132', country: 'US' })).findings).toHaveLength(1);
  });

  it('leaves a text with nothing in it, and an empty one, as it is', async () => {
    for (const text of ['', 'nothing here', '😀'])
      expect(await tokenize({ text })).toEqual({ text, findings: [] });
  });

  it.each<[string, object | string, number, string]>([
    ['neither text nor document', {}, 400, 'ERR_REQUEST_INVALID'],
    ['both of them', { text: PAN, json: PAN }, 400, 'ERR_REQUEST_INVALID'],
    ['a text that is a number', { text: 4111 }, 400, 'ERR_REQUEST_INVALID'],
    ['another mode', { text: PAN, mode: 'drop' }, 400, 'ERR_REQUEST_INVALID'],
    ['another class', { text: PAN, classes: ['text'] }, 400, 'ERR_REQUEST_INVALID'],
    ['a property that there is not', { text: PAN, colour: 'red' }, 400, 'ERR_REQUEST_INVALID'],
    ['a country in small letters', { text: PAN, country: 'us' }, 400, 'ERR_REQUEST_INVALID'],
    ['a country that there is not', { text: PAN, country: 'ZZ' }, 400, 'ERR_COUNTRY_UNKNOWN'],
    ['a tenant of somebody else', { text: PAN, tenant: 'rival' }, 403, 'ERR_TENANT_DENIED'],
    ['a text over a mebibyte', { text: `${PAN} `.repeat(61_681) }, 413, 'ERR_TEXT_TOO_LARGE'],
    ['a document over a mebibyte', { json: ['é'.repeat(524_300)] }, 413, 'ERR_TEXT_TOO_LARGE'],
    ['a mebibyte of findings', { text: 'a@b.cc '.repeat(149_000) }, 413, 'ERR_TOO_MANY_FINDINGS'],
    ['a mebibyte of parameters', { text: '?name=a'.repeat(149_000) }, 413, 'ERR_TOO_MANY_FINDINGS'],
    [
      'a mebibyte of numbers',
      { text: '11 11 11 1,'.repeat(95_000), country: 'US' },
      413,
      'ERR_TOO_MANY_FINDINGS',
    ],
    ['1,001 findings', { text: '192.0.2.7 '.repeat(1001) }, 413, 'ERR_TOO_MANY_FINDINGS'],
    [
      '1,001 findings in a document',
      { json: Array.from({ length: 1001 }, () => PAN) },
      413,
      'ERR_TOO_MANY_FINDINGS',
    ],
    [
      'a document nested 65 deep',
      `{"json":${'['.repeat(65)}"${PAN}"${']'.repeat(65)}}`,
      413,
      'ERR_JSON_TOO_DEEP',
    ],
    [
      'a document nested 500,000 deep',
      `{"json":${'['.repeat(500_000)}${']'.repeat(500_000)}}`,
      413,
      'ERR_JSON_TOO_DEEP',
    ],
  ])('refuses %s, stores nothing and shows nothing', async (_, body, status, code) => {
    const [found, foundCode, text] = await refusal('order', 'tokenize', body);
    expect([found, foundCode]).toEqual([status, code]);
    expect(text).not.toContain(PAN.slice(0, 6));
    expect(tokenizer.store.records.size).toBe(0);
  });

  it('takes a text of a mebibyte, a thousand findings and a nesting of 64', async () => {
    expect((await tokenize({ text: 'x'.repeat(1024 * 1024) })).findings).toEqual([]);
    expect((await tokenize({ text: '192.0.2.7 '.repeat(1000) })).findings).toHaveLength(1000);
    const { findings } = await tokenize(
      JSON.parse(`{"json":${'['.repeat(64)}"${PAN}"${']'.repeat(64)}}`) as object,
    );
    expect(findings).toHaveLength(1);
  });

  it('refuses a caller who may not tokenize, before it looks at the text', async () => {
    expect((await refusal('paybill', 'tokenize', { text: PAN })).slice(0, 2)).toEqual([
      403,
      'ERR_OPERATION_DENIED',
    ]);
    expect((await refusal('outsider', 'tokenize', 'not JSON')).slice(0, 2)).toEqual([
      403,
      'ERR_OPERATION_DENIED',
    ]);
  });

  it('answers 503 while the store is down, and hands out no token', async () => {
    tokenizer.store.isDown = true;
    expect((await refusal('order', 'tokenize', { text: TEXT })).slice(0, 2)).toEqual([
      503,
      'ERR_STORE_UNAVAILABLE',
    ]);
  });

  it('hands out no token where one of the batch was not stored', async () => {
    let records = 0;
    tokenizer.store.lose = () => (records += 1) === 2;
    expect((await refusal('order', 'tokenize', { text: TEXT })).slice(0, 2)).toEqual([
      503,
      'ERR_STORE_UNAVAILABLE',
    ]);
    tokenizer.store.lose = () => false;
  });

  it('writes no value to the log', async () => {
    await tokenize({ text: TEXT });
    await refusal('order', 'tokenize', { text: `${TEXT} `.repeat(1000) });
    expect(tokenizer.log.text()).not.toMatch(new RegExp(`${PAN}|${GROUPED}|ann@example`));
  });
});

describe('a document', () => {
  it('is searched in its strings, its numbers and its names, by shape and by the name of the member', async () => {
    const json = {
      card_number: Number(PAN),
      note: `call +1 415 555 0132`,
      address: { city: 'Leeds', lines: ['12 Orchard Lane'] },
      'ann@example.com': [true, null, 1.5, '192.0.2.7'],
      'a/b~c': PAN,
      count: 12,
    };
    const { json: answered, findings } = await tokenize({ json });
    const email = findings.find((each) => each.class === 'email')?.token ?? '';
    expect(findings.map((each) => [each.class, each.path])).toEqual([
      ['pan', '/card_number'],
      ['phone', '/note'],
      ['address', '/address/city'],
      ['address', '/address/lines/0'],
      ['email', ''],
      ['ip', `/${email}/3`],
      ['pan', '/a~1b~0c'],
    ]);
    expect(JSON.stringify({ answered, findings })).not.toMatch(/ann@|Leeds|Orchard|0132/);
    const { json: back, replacements } = await detokenize({ json: answered });
    // A number comes back as a text: a token cannot say that it was one.
    expect(back).toEqual({ ...json, card_number: PAN });
    expect(replacements).toEqual({ plain: 7, masked: 0, redacted: 0, unknown: 0, unusable: 0 });
  });

  it('keeps every member where two names have one mask', async () => {
    const { json } = await tokenize({ json: { 'ann@example.com': 1, 'amy@example.com': 2 }, mode: 'mask' });
    expect(json).toEqual({ 'a***@example.com': 1, 'a***@example.com 2': 2 });
  });

  it.each([null, 0, true, '', [], {}])('may be %j', async (json) => {
    expect(await tokenize({ json })).toEqual({ json, findings: [] });
  });
});

describe('POST /v1/text/detokenize', () => {
  it('replaces every token in the form that the caller may see, and counts them', async () => {
    const { text } = await tokenize({ text: TEXT });
    expect(await detokenize({ text, purpose: 'payment' })).toEqual({
      text: TEXT,
      replacements: { plain: 3, masked: 0, redacted: 0, unknown: 0, unusable: 0 },
    });
    const masked = await detokenize({ text, purpose: 'curiosity' });
    expect(masked.text).toBe(
      `Ann <a***@example.com> paid with card ************${PAN.slice(-4)} from 192.0.***`,
    );
    expect(masked.replacements).toMatchObject({ plain: 0, masked: 3 });
  });

  it('leaves tokens that are unknown, expired, hidden from the caller or of several values', async () => {
    const make = async (fields: object, more: object = {}): Promise<string> =>
      (await tokenizer.send('order', { url: '/v1/tokens', body: { fields, ...more } })).json<{
        token: string;
      }>().token;
    const note = await make({ note: { class: 'text', value: 'call first' } });
    const two = await make({ one: { class: 'name', value: 'Ann' }, other: { class: 'name', value: 'Lee' } });
    const short = await make({ one: { class: 'name', value: 'Ann' } }, { ttlSeconds: 1 });
    tokenizer.clock.now = new Date(tokenizer.clock.now.getTime() + 1000);
    const text = `${UNKNOWN} ${short} ${note} ${two} ${UNKNOWN.slice(0, -1)}b`;
    expect(await detokenize({ text })).toEqual({
      text,
      replacements: { plain: 0, masked: 0, redacted: 1, unknown: 2, unusable: 1 },
    });
  });

  it('refuses more than a thousand tokens, and a caller who may not detokenize', async () => {
    const tokens = Array.from({ length: 1001 }, (_, index) => mintToken(Buffer.alloc(16, index))).join(' ');
    expect((await refusal('paybill', 'detokenize', { text: tokens })).slice(0, 2)).toEqual([
      413,
      'ERR_TOO_MANY_FINDINGS',
    ]);
    expect((await refusal('order', 'detokenize', { text: 'no token' })).slice(0, 2)).toEqual([
      403,
      'ERR_OPERATION_DENIED',
    ]);
  });

  it('answers 503 while the store is down, rather than a text half turned back', async () => {
    const { text } = await tokenize({ text: TEXT });
    tokenizer.store.lose = ({ token }) => text.indexOf(token) > 40;
    expect((await refusal('paybill', 'detokenize', { text })).slice(0, 2)).toEqual([
      503,
      'ERR_STORE_UNAVAILABLE',
    ]);
    tokenizer.store.lose = () => false;
  });
});

describe('a text that was tokenized', () => {
  const planted = fc.constantFrom(
    PAN,
    GROUPED,
    PAN.replaceAll('1', '\u{1d7cf}'),
    'ann@example.com',
    'x%40example.com',
    'DE89 3704 0044 0532 0130 00',
    '+1 (415) 555-0132 x12',
    '123-45-6789',
    '2001:db8::7',
    '"name":"Ann \\"A\\" Lee"',
    '?phone=12345',
    '\\"address\\":\\"1 High St\\"',
  );
  const noise = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.string({ maxLength: 12 }),
    fc.constantFrom('tkn_', '_', 'b', '1', ' ', '\u200b', '\r\n'),
  );

  it('comes back to the letter, whatever is planted in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(planted, noise), { maxLength: 12 }), async (parts) => {
        const text = parts.join('');
        fc.pre(text.isWellFormed());
        const tokenized = await tokenize({ text, country: 'US' });
        expect((await detokenize({ text: tokenized.text })).text).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it('comes back to the letter from the strings of a document', async () => {
    const { jsonDocument } = fc.letrec<{ jsonDocument: unknown }>((tie) => ({
      jsonDocument: fc.oneof(
        { depthSize: 'small' },
        planted,
        noise,
        fc.boolean(),
        fc.array(tie('jsonDocument'), { maxLength: 4 }),
        fc.dictionary(
          fc.oneof(planted, fc.constantFrom('name', 'email', 'card', 'address', 'phone')),
          tie('jsonDocument'),
          { maxKeys: 4 },
        ),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(jsonDocument, async (json) => {
        fc.pre(JSON.stringify(json).isWellFormed());
        const plain = JSON.parse(JSON.stringify(json)) as unknown;
        const tokenized = await tokenize({ json: plain });
        expect((await detokenize({ json: tokenized.json })).json).toEqual(plain);
      }),
      { numRuns: 200 },
    );
  });
});
