/**
 * The tokenizer's sealer and store with nothing around them: no policy, audit, metrics, idempotency, schema
 * or log. What the tokenizer costs beyond it is what these cost.
 *
 * @module
 */

import type { TokenRecord } from '../sidecar/tokenizer/core/ports.ts';
import { openField } from '../sidecar/tokenizer/core/record-fields.ts';
import { sealFields } from '../sidecar/tokenizer/core/seal-fields.ts';
import { mintToken, TOKEN_RANDOM_BYTES } from '../sidecar/tokenizer/core/token.ts';
import { openBareVault } from './bare-vault.ts';
import { FIELD, serveVault } from './bench-app.ts';

const TENANT = 'shop';

const { sealer, store, randomBytes } = openBareVault();

async function sealed(value: string): Promise<TokenRecord> {
  const bound = { tenant: TENANT, token: mintToken(randomBytes(TOKEN_RANDOM_BYTES)) };
  const fields = await sealFields(sealer, bound, [{ field: FIELD, class: 'pan', value }]);
  return { ...bound, createdAt: new Date(), fields };
}

async function opened(record: TokenRecord | string | undefined): Promise<string> {
  const field = typeof record === 'object' ? record.fields.get(FIELD) : undefined;
  if (typeof record !== 'object' || field === undefined) throw new Error('expected a record that is there');
  return await openField(sealer, record, FIELD, field);
}

await serveVault({
  async tokenize(values) {
    const records = await Promise.all(values.map(sealed));
    const outcomes = await store.insertMany(records);
    if (!outcomes.every((outcome) => outcome === 'stored')) throw new Error('expected all to be stored');
    return records.map(({ token }) => token);
  },
  async detokenize(tokens) {
    const keys = tokens.map((token) => ({ tenant: TENANT, token }));
    const [only] = keys;
    const found =
      keys.length === 1 && only !== undefined ? [await store.find(only)] : await store.findMany(keys);
    return await Promise.all(found.map(opened));
  },
});
