import { describe, expect, it } from '@jest/globals';
import { createCedarPolicy } from '../../../../sidecar/tokenizer/adapters/cedar-policy.ts';
import { isToken } from '../../../../sidecar/tokenizer/core/token.ts';
import type { TokenizeRequest } from '../../../../sidecar/tokenizer/core/vault.ts';
import { seededRandom } from '../../../../local/seeded-random.ts';
import { CARD, order, PAN, paybill, startVaultUnderTest } from '../../../support/vault-under-test.ts';

const SSN = { fields: { id: { class: 'ssn', value: '078-05-1120' } } };
const RECORDS: readonly (readonly [string, TokenizeRequest])[] = [
  ['uuid', CARD],
  ['region', CARD],
  ['email', { fields: { mail: { class: 'email', value: 'joe@example.com' } } }],
  ['pan', CARD],
  ['pan-random', CARD],
  ['phone', { fields: { phone: { class: 'phone', value: '+44 20 7946 0000' } } }],
  ['ssn', SSN],
];

/** A source that gives the same bytes for each token, as often as it is asked. */
function stuck(): (count: number) => Uint8Array {
  return (count) => Uint8Array.from({ length: count }, (_, index) => (index * 7 + 3) % 200);
}

/** Stuck for so many tokens of 16 digits, then random. */
function stuckFor(tokens: number): (count: number) => Uint8Array {
  const [same, fresh] = [stuck(), seededRandom(1)];
  let drawn = 0;
  return (count) => ((drawn += 1) > tokens ? fresh(count) : same(count));
}

describe('a token of another format', () => {
  it.each(RECORDS)(
    'is asked for by its name, told, described and turned back: %s',
    async (format, record) => {
      const { vault } = startVaultUnderTest();
      const made = await vault.tokenize(order, { ...record, format });
      expect(made.format).toBe(format);
      expect(isToken(made.token)).toBeDefined();
      expect(await vault.describe(order, { token: made.token })).toMatchObject({ kind: 'random', format });
      const [[field, { value }] = ['', { value: '' }]] = Object.entries(record.fields);
      const revealed = await vault.detokenize(paybill, { token: made.token, purpose: 'identity-check' });
      const expected = format === 'ssn' ? { value, form: 'plain' } : { form: 'masked' };
      expect(revealed.fields.get(field)).toMatchObject(expected);
    },
  );

  it('needs exactly one field of the class whose shape it has', async () => {
    const { vault, store } = startVaultUnderTest();
    const two = { fields: { one: CARD.fields.card, other: CARD.fields.card } };
    for (const record of [SSN, two]) {
      await expect(vault.tokenize(order, { ...record, format: 'pan' })).rejects.toMatchObject({
        code: 'ERR_FORMAT_UNFIT',
      });
    }
    expect(store.records.size).toBe(0);
  });

  it('takes other fields beside that one', async () => {
    const { vault } = startVaultUnderTest();
    const { token } = await vault.tokenize(order, {
      fields: { ...CARD.fields, ...SSN.fields },
      format: 'pan',
    });
    expect(token).toMatch(/^0\d{11}1111$/);
  });
});

describe('a small format', () => {
  const small = { ...SSN, format: 'ssn-last-four' };

  it('is refused where the request does not ask for it in so many words', async () => {
    const { vault } = startVaultUnderTest();
    await expect(vault.tokenize(order, small)).rejects.toMatchObject({
      code: 'ERR_SMALL_FORMAT',
      remedy: expect.stringContaining('"allowSmallFormat": true'),
    });
  });

  it('is refused where the policy does not permit it, whatever the request says', async () => {
    const { vault, store } = startVaultUnderTest();
    await expect(vault.tokenize(order, { ...small, allowSmallFormat: true })).rejects.toMatchObject({
      code: 'ERR_SMALL_FORMAT_DENIED',
      remedy: expect.stringContaining('smallFormats'),
    });
    expect(store.records.size).toBe(0);
  });

  it('is given where both do', async () => {
    const { vault } = startVaultUnderTest(
      createCedarPolicy('@id("test.all") permit (principal, action, resource);'),
    );
    const made = await vault.tokenize(order, { ...small, allowSmallFormat: true });
    expect(made).toMatchObject({
      token: expect.stringMatching(/^9\d\d-\d\d-1120$/),
      format: 'ssn-last-four',
    });
  });
});

describe('a token that is taken', () => {
  const asked = { ...CARD, format: 'pan' };

  it('is drawn again, and the first record stays as it was', async () => {
    const { vault, random, store, observed } = startVaultUnderTest();
    random.bytes = stuckFor(3);
    const first = await vault.tokenize(order, asked);
    const before = store.records.get(`shop#${first.token}`);
    const second = await vault.tokenize(order, asked);
    expect(second.token).not.toBe(first.token);
    expect(store.records.get(`shop#${first.token}`)).toBe(before);
    expect(observed).toEqual(['taken pan', 'taken pan']);
    expect((await vault.detokenize(paybill, { token: second.token })).fields.get('card')?.value).toBe(PAN);
  });

  it('is drawn six times at most, then the format counts as exhausted', async () => {
    const { vault, random, store, observed } = startVaultUnderTest();
    random.bytes = stuck();
    await vault.tokenize(order, asked);
    await expect(vault.tokenize(order, asked)).rejects.toMatchObject({
      code: 'ERR_FORMAT_EXHAUSTED',
      remedy: expect.stringContaining('"onExhaustion": "widen"'),
    });
    expect(observed).toEqual([...Array.from({ length: 6 }, () => 'taken pan'), 'exhausted pan']);
    expect(store.records.size).toBe(1);
  });

  it('gives way to one of the default format where the request says so, and the answer tells', async () => {
    const { vault, random, observed } = startVaultUnderTest();
    random.bytes = stuck();
    await vault.tokenize(order, asked);
    const widened = await vault.tokenize(order, { ...asked, onExhaustion: 'widen' });
    expect(widened).toMatchObject({ token: expect.stringMatching(/^tkn_/), format: 'default' });
    expect(await vault.describe(order, { token: widened.token })).toMatchObject({ format: 'default' });
    expect(observed.at(-1)).toBe('exhausted pan');
  });

  it('is that of one item of a batch, and holds up no other', async () => {
    const { vault, random, store } = startVaultUnderTest();
    random.bytes = stuck();
    await vault.tokenize(order, asked);
    let defaults = 0;
    random.bytes = (count) => (count === 16 ? new Uint8Array(16).fill((defaults += 1)) : stuck()(count));
    const results = await vault.tokenizeBatch(order, [
      asked,
      CARD,
      { ...asked, onExhaustion: 'widen' },
      { ...CARD, format: 'uuid' },
    ]);
    expect(
      results.map((each) => ('error' in each ? each.error.code : (each.result.format ?? 'as asked'))),
    ).toEqual(['ERR_FORMAT_EXHAUSTED', 'as asked', 'default', 'uuid']);
    expect(store.records.size).toBe(4);
  });

  it('is never overwritten in a batch, where two items draw the same', async () => {
    const { vault, random, store } = startVaultUnderTest();
    random.bytes = stuckFor(2);
    const results = await vault.tokenizeBatch(order, [asked, asked]);
    const tokens = results.map((each) => ('result' in each ? each.result.token : ''));
    expect(new Set(tokens).size).toBe(2);
    expect(store.records.size).toBe(2);
  });
});
