import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sealValue, type SealingKey } from '../../../../edge/seal-value.ts';
import { writeMark } from '../../../../sidecar/tokenizer/core/marks/mark.ts';
import { startTokenizerUnderTest, type TokenizerUnderTest } from '../../../support/tokenizer-under-test.ts';

const PAN = '4111111111111111';

interface Body {
  readonly token: string;
  readonly text: string;
  readonly json: unknown;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly findings: readonly { readonly class: string }[];
  readonly replacements: unknown;
  readonly results: readonly { readonly token: string }[];
}

let tokenizer: TokenizerUnderTest;
let current: SealingKey;
let former: SealingKey;

beforeAll(async () => {
  tokenizer = await startTokenizerUnderTest();
  former = tokenizer.markKeys.create();
  current = tokenizer.markKeys.create();
});
afterAll(() => tokenizer.app.close());
beforeEach(() => tokenizer.reset());

const sealed = (fieldClass: string, value: string, key = current, tenant = 'shop'): string =>
  sealValue(key, { class: fieldClass, tenant, value });

async function post(node: string, url: string, body: object): Promise<{ status: number; body: Body }> {
  const answer = await tokenizer.send(node, { url, body });
  return { status: answer.statusCode, body: answer.json<Body>() };
}

async function sendWithKey(body: object, url: string): Promise<{ json: Body }> {
  const headers = { 'idempotency-key': `"retry of ${url}"` };
  const answer = await tokenizer.send('order', { url, body, headers });
  return { json: answer.json<Body>() };
}

const tokenize = (value: string, fieldClass = 'pan') =>
  post('order', '/v1/tokens', { fields: { it: { class: fieldClass, value } } });

async function revealed(token: string): Promise<unknown> {
  return (await post('paybill', '/v1/detokenize', { token })).body.fields.it;
}

describe('a mark that is tokenized', () => {
  it.each(['current', 'former'])('becomes a token of what is in it, under the %s key', async (which) => {
    const { status, body } = await tokenize(sealed('pan', PAN, which === 'current' ? current : former));
    expect(status).toBe(201);
    expect(await revealed(body.token)).toEqual({ value: PAN, form: 'plain' });
  });

  it('is held to the rules of its class', async () => {
    expect(await tokenize(sealed('pan', '4111111111111112'))).toMatchObject({
      status: 400,
      body: { code: 'ERR_VALUE_INVALID' },
    });
  });

  it('is refused for another class than it was sealed as', async () => {
    expect(await tokenize(sealed('pan', PAN), 'text')).toMatchObject({
      status: 400,
      body: { code: 'ERR_MARK_CLASS' },
    });
  });

  it.each([
    ['of another tenant', () => sealed('pan', PAN, current, 'bank')],
    ['under a key that is none of ours', () => sealed('pan', PAN, { ...current, keyId: '0'.repeat(36) })],
    ['that was changed', () => sealed('pan', PAN).replace(/(.{20})..\.$/, '$1AA.')],
    [
      'of a large value that was changed',
      () => sealed('text', 'x'.repeat(2_000)).replace(/(.{20})..\.$/, '$1AA.'),
    ],
    ['whose kind was changed', () => sealed('pan', PAN).replace('.d.', '.h.')],
  ])('is refused %s, all with one text', async (_, mark) => {
    const { status, body } = await tokenize(mark());
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'ERR_MARK_UNOPENABLE', title: 'The mark does not open.' });
    expect(JSON.stringify(body)).not.toMatch(/bank|4111/);
  });

  it('is an item of a batch like any other, and fails by itself', async () => {
    const item = (value: string) => ({ fields: { it: { class: 'pan', value } } });
    const { body } = await post('order', '/v1/tokens/batch', {
      items: [item(sealed('pan', PAN)), item(sealed('pan', PAN, current, 'bank')), item(PAN)],
    });
    expect(body.results).toEqual([
      { token: expect.any(String), createdAt: expect.any(String) },
      { error: expect.objectContaining({ code: 'ERR_MARK_UNOPENABLE' }) },
      { token: expect.any(String), createdAt: expect.any(String) },
    ]);
    expect(await revealed(body.results[0]?.token ?? '')).toEqual({ value: PAN, form: 'plain' });
  });

  it('is opened with fifteen others at most, however many there are in a batch', async () => {
    const fields = { one: 'pan', two: 'name', three: 'email' } as const;
    const item = {
      fields: Object.fromEntries(
        Object.entries(fields).map(([name, each]) => [
          name,
          { class: each, value: sealed(each, each === 'pan' ? PAN : 'joe@example.com') },
        ]),
      ),
    };
    tokenizer.markKeys.mostAtOnce = 0;
    const { body } = await post('order', '/v1/tokens/batch', {
      items: Array.from({ length: 40 }, () => item),
    });
    expect(body.results.filter(({ token }) => token.startsWith('tkn_'))).toHaveLength(40);
    expect(tokenizer.markKeys.mostAtOnce).toBe(16);
  });

  it('is known by its value where a request is sent again through the edge, under the same key', async () => {
    const send = async (value: string) => {
      const { json } = await sendWithKey({ fields: { it: { class: 'pan', value } } }, '/v1/tokens');
      return json;
    };
    const sendBatch = async (value: string) =>
      (await sendWithKey({ items: [{ fields: { it: { class: 'pan', value } } }] }, '/v1/tokens/batch')).json;
    const first = await send(sealed('pan', PAN));
    expect(first.token).toMatch(/^tkn_/);
    expect(await send(sealed('pan', PAN))).toEqual(first);
    expect(await send(sealed('pan', '5555555555554444'))).toMatchObject({
      code: 'ERR_IDEMPOTENCY_KEY_REUSED',
    });
    const batch = await sendBatch(sealed('pan', PAN));
    expect(batch.results).toHaveLength(1);
    expect(await sendBatch(sealed('pan', PAN))).toEqual(batch);
  });

  it('costs no call where it wraps no key', async () => {
    const before = tokenizer.markKeys.unwrapped;
    const { body } = await tokenize(
      writeMark({ keyId: current.keyId, kind: 'h', sealed: Buffer.alloc(300) }),
    );
    expect(body).toMatchObject({ code: 'ERR_MARK_UNOPENABLE' });
    expect(tokenizer.markKeys.unwrapped).toBe(before);
  });

  it('costs no call for somebody who may not tokenize, and is refused with 503 where KMS is away', async () => {
    const before = tokenizer.markKeys.unwrapped;
    expect(
      (await post('paybill', '/v1/tokens', { fields: { it: { class: 'pan', value: sealed('pan', PAN) } } }))
        .status,
    ).toBe(403);
    expect(tokenizer.markKeys.unwrapped).toBe(before);
    tokenizer.markKeys.isDown = true;
    expect(await tokenize(sealed('pan', PAN))).toMatchObject({
      status: 503,
      body: { code: 'ERR_KEY_UNAVAILABLE' },
    });
  });
});

describe('a text with marks', () => {
  it('is tokenized as if they were the values, each where it stands', async () => {
    const text = `card ${sealed('pan', PAN)}, mail ${sealed('email', 'joe@example.com')} and ann@example.com.`;
    const { body } = await post('order', '/v1/text/tokenize', { text });
    expect(body.findings.map((each) => each.class)).toEqual(['pan', 'email', 'email']);
    expect(body.text).toMatch(/^card tkn_\w+, mail tkn_\w+ and tkn_\w+\.$/);
    const back = await post('paybill', '/v1/text/detokenize', { text: body.text });
    expect(back.body.text).toBe(`card ${PAN}, mail joe@example.com and ann@example.com.`);
  });

  it('keeps a mark that does not open, and finds nothing within it', async () => {
    const text = `card ${sealed('pan', PAN, current, 'bank')}`;
    const { body } = await post('order', '/v1/text/tokenize', { text });
    expect(body).toEqual({ text, findings: [] });
  });

  it('never has a security code stored', async () => {
    const { body } = await post('order', '/v1/text/tokenize', { json: { any: sealed('cvv', '123') } });
    expect(body.json).toEqual({ any: '***' });
  });

  it('is turned back without a token, as plain as the class may be seen, by a record for each mark', async () => {
    const marks = {
      card: sealed('pan', PAN),
      note: sealed('text', 'call first'),
      code: sealed('cvv', '123'),
      big: sealed('name', 'x'.repeat(3_000)),
    };
    const asked = await post('paybill', '/v1/text/detokenize', { json: { ...marks, again: marks.card } });
    expect(asked.body.json).toEqual({
      card: PAN,
      again: PAN,
      note: marks.note,
      code: '***',
      big: 'x'.repeat(3_000),
    });
    expect(asked.body.replacements).toEqual({ plain: 3, masked: 1, redacted: 1, unknown: 0, unusable: 0 });
    const records = (await tokenizer.audited.records()).slice(-4);
    expect(records.map(({ operation, outcome, fields }) => [operation, outcome, fields])).toEqual([
      ['detokenize', 'ok', [{ class: 'pan', form: 'plain' }]],
      ['detokenize', 'ERR_CLASS_DENIED', undefined],
      ['detokenize', 'ok', [{ class: 'cvv', form: 'masked' }]],
      ['detokenize', 'ok', [{ class: 'name', form: 'plain' }]],
    ]);
    const masked = await post('paybill', '/v1/text/detokenize', { text: marks.card, purpose: 'support' });
    expect(masked.body.text).toBe('************1111');
  });

  it('keeps what does not open, and is refused whole where KMS is away or nothing may be revealed', async () => {
    const text = `a ${sealed('pan', PAN, current, 'bank')}`;
    expect((await post('paybill', '/v1/text/detokenize', { text })).body).toEqual({
      text,
      replacements: { plain: 0, masked: 0, redacted: 0, unknown: 0, unusable: 1 },
    });
    expect((await post('order', '/v1/text/detokenize', { text })).status).toBe(403);
    tokenizer.markKeys.isDown = true;
    expect((await post('paybill', '/v1/text/detokenize', { text: sealed('pan', PAN) })).status).toBe(503);
  });
});
