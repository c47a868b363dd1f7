import { describe, expect, it } from '@jest/globals';
import type { Tokenizer } from '../../sidecar/tokenizer/client/tokenizer.ts';
import { PAN } from '../support/vault-under-test.ts';

const CARD = {
  fields: { number: { class: 'pan', value: PAN }, holder: { class: 'name', value: 'Ada Byron' } },
};
const NO_CARD = { fields: { number: { class: 'pan', value: '4111' } } };
const UNKNOWN = '00000000-0000-4000-8000-000000000000';

export interface TokenizersUnderTest {
  /** The shipped mesh's `order`: it writes, and may not reveal. */
  readonly order: Tokenizer;
  /** The shipped mesh's `paybill`: it reveals, plain for the purpose of payment. */
  readonly paybill: Tokenizer;
}

/** What every {@link Tokenizer} does, in the caller's own process or over the mesh. */
export function describeTokenizer(name: string, start: () => TokenizersUnderTest): void {
  describe(`${name} keeps the contract of a tokenizer`, () => {
    it('answers the token and its times, and nothing that is for the audit', async () => {
      const { order } = start();
      const made = await order.tokenize({ ...CARD, format: 'uuid', ttlSeconds: 60 });
      expect(Object.keys(made).sort()).toEqual(['createdAt', 'expiresAt', 'format', 'token']);
      expect(made.token).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
      expect((made.expiresAt?.getTime() ?? 0) - made.createdAt.getTime()).toBe(60_000);
    });

    it('reveals plain for the purpose that may see it, and masked for another', async () => {
      const { order, paybill } = start();
      const { token } = await order.tokenize(CARD);
      expect(await paybill.detokenize({ token, fields: ['number'], purpose: 'payment' })).toEqual({
        number: { value: PAN, form: 'plain' },
      });
      expect(await paybill.detokenize({ token, fields: ['number'], purpose: 'support' })).toEqual({
        number: { value: `${'*'.repeat(12)}1111`, form: 'masked' },
      });
    });

    it('answers each item of a batch on its own, in order', async () => {
      const { order, paybill } = start();
      const nameless = { fields: { 'a name': { class: 'text', value: 'x' } } };
      const [first, second, third, fourth] = await order.tokenizeBatch([CARD, NO_CARD, nameless, CARD]);
      expect(second).toMatchObject({ error: { code: 'ERR_VALUE_INVALID' } });
      expect(third).toMatchObject({ error: { code: 'ERR_REQUEST_INVALID' } });
      if (first === undefined || !('result' in first)) throw new Error('expected a token');
      expect(fourth).toMatchObject({ result: { token: expect.stringMatching(/^tkn_/) } });
      const { token } = first.result;
      const purpose = 'payment';
      expect(await paybill.detokenizeBatch([{ token: UNKNOWN }, { token, purpose }])).toMatchObject([
        { error: { code: 'ERR_TOKEN_UNKNOWN' } },
        { result: { number: { value: PAN, form: 'plain' } } },
      ]);
    });

    it('describes a token without its values', async () => {
      const { order } = start();
      const { token, createdAt } = await order.tokenize({ ...CARD, kind: 'pointer' });
      expect(await order.describe({ token, tenant: 'shop' })).toEqual({
        ...{ token, createdAt, tenant: 'shop', kind: 'pointer', format: 'default', version: 1 },
        fields: { number: { class: 'pan' }, holder: { class: 'name' } },
      });
    });

    it('deletes a token, and takes one that is gone for deleted', async () => {
      const { order, paybill } = start();
      const { token } = await order.tokenize(CARD);
      await order.delete({ token });
      await order.delete({ token });
      await expect(paybill.detokenize({ token })).rejects.toMatchObject({ code: 'ERR_TOKEN_UNKNOWN' });
    });

    it.each<[string, string, (tokenizers: TokenizersUnderTest) => Promise<unknown>]>([
      [
        'a reveal without the right to it',
        'ERR_OPERATION_DENIED',
        ({ order }) => order.detokenize({ token: UNKNOWN }),
      ],
      [
        'to delete a text that is no token',
        'ERR_TOKEN_MALFORMED',
        ({ order }) => order.delete({ token: PAN }),
      ],
      [
        'a tenant of another',
        'ERR_TENANT_DENIED',
        ({ order }) => order.tokenize({ ...CARD, tenant: 'mint' }),
      ],
      ['a value that does not fit its class', 'ERR_VALUE_INVALID', ({ order }) => order.tokenize(NO_CARD)],
      [
        'a time to live of nothing',
        'ERR_REQUEST_INVALID',
        ({ order }) => order.tokenize({ ...CARD, ttlSeconds: 0 }),
      ],
      [
        'a batch of 1,001',
        'ERR_TOO_MANY_ITEMS',
        ({ order }) => order.tokenizeBatch(Array.from({ length: 1_001 }, () => CARD)),
      ],
    ])('refuses %s, and quotes no digits', async (_what, code, call) => {
      const error: unknown = await call(start()).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code, message: expect.not.stringMatching(/\d{6}/) });
    });
  });
}
