/**
 * Idempotency keys and references on a running mesh: through Envoy, as order and paybill, over mutual TLS.
 *
 * @module
 */

import { randomUUID } from 'node:crypto';
import { paginateScan } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from '@jest/globals';
import { searchForLeaks } from '../../local/leaks.ts';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { testCard } from '../../sample-apps/test-cards.ts';
import { callAs, type MeshAnswer } from '../support/mesh-call.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';
import { mesh } from '../support/running-mesh.ts';

const DEADLINE_MS = 120_000;

const PAN = testCard('visa', 16).number;
const OTHER_PAN = testCard('mastercard', 16).number;
const card = (value = PAN): object => ({ fields: { card: { class: 'pan', value } } });

const COME_AGAIN: ReadonlySet<unknown> = new Set(['ERR_IDEMPOTENCY_IN_FLIGHT', 'ERR_STORE_UNAVAILABLE']);

const suite = meshOfSuite();

const tokenize = (key: string, body: object = card()): Promise<MeshAnswer> =>
  callAs(suite.state, 'order', 'POST', '/v1/tokens', body, { 'idempotency-key': `"${key}"` });
const tokenizeBatch = (key: string, items: object[]): Promise<MeshAnswer> =>
  callAs(suite.state, 'order', 'POST', '/v1/tokens/batch', { items }, { 'idempotency-key': key });
const upsert = (reference: string, body: object): Promise<MeshAnswer> =>
  callAs(suite.state, 'order', 'PUT', `/v1/references/${reference}`, body);

async function shown(token: unknown): Promise<unknown> {
  const { document } = await callAs(suite.state, 'paybill', 'POST', '/v1/detokenize', {
    token,
    purpose: 'payment',
  });
  return (document['fields'] as { card?: { value: string } } | undefined)?.card?.value;
}

/** Rows of the vault by their sort key. */
async function countOf(sortKey: string): Promise<number> {
  const { dynamodb } = emulatorClients(suite.state.aws.endpointUrl, suite.state.aws.region);
  let count = 0;
  for await (const { Items } of paginateScan(
    { client: dynamodb },
    { TableName: suite.state.tables.tokens },
  )) {
    count += (Items ?? []).filter((item) => item['sk']?.S === sortKey).length;
  }
  return count;
}

describe('an idempotency key', () => {
  it('makes a call that is sent again answer the same token, and store no second record', async () => {
    const [key, before] = [randomUUID(), await countOf('record')];
    const [first, again] = [await tokenize(key), await tokenize(key)];
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.document).toEqual(first.document);
    expect([first.headers['idempotency-replayed'], again.headers['idempotency-replayed']]).toEqual([
      undefined,
      'true',
    ]);
    expect(await countOf('record')).toBe(before + 1);
    expect(await shown(again.document['token'])).toBe(PAN);
  });

  it('refuses another body with 422 and what is no key with 400', async () => {
    const key = randomUUID();
    await tokenize(key);
    expect(await tokenize(key, card(OTHER_PAN))).toMatchObject({
      status: 422,
      document: { code: 'ERR_IDEMPOTENCY_KEY_REUSED' },
    });
    expect(await tokenize('"')).toMatchObject({
      status: 400,
      document: { code: 'ERR_IDEMPOTENCY_KEY_MALFORMED' },
    });
  });

  it(
    'lets one of a hundred calls at once do the work',
    async () => {
      const [key, before] = [randomUUID(), await countOf('record')];
      const answers = await Promise.all(Array.from({ length: 100 }, () => tokenize(key)));
      const made = answers.filter(({ status }) => status === 201);
      const others = answers.filter(({ status }) => status !== 201);
      expect(made.filter(({ headers }) => headers['idempotency-replayed'] === undefined)).toHaveLength(1);
      expect(new Set(made.map(({ document }) => document['token'])).size).toBe(1);
      // Each is told to come again: its like is under way, or the emulator is not as quick as a hundred at once.
      const codes = new Set(others.map(({ document }) => document['code']));
      expect([...codes].filter((code) => !COME_AGAIN.has(code))).toEqual([]);
      expect(others.filter(({ headers }) => headers['retry-after'] !== '1')).toEqual([]);
      expect((await tokenize(key)).document).toEqual(made[0]?.document);
      expect(await countOf('record')).toBe(before + 1);
    },
    DEADLINE_MS,
  );

  it(
    'gives each of a thousand items of a batch its token again',
    async () => {
      const key = randomUUID();
      const items = Array.from({ length: 1_000 }, (_, index) => (index === 7 ? { fields: {} } : card()));
      const first = await tokenizeBatch(key, items);
      const before = await countOf('record');
      const again = await tokenizeBatch(key, items);
      expect([first.status, again.status, again.headers['idempotency-replayed']]).toEqual([200, 200, 'true']);
      expect(again.document).toEqual(first.document);
      expect((again.document['results'] as object[])[7]).toMatchObject({
        error: { code: 'ERR_REQUEST_INVALID' },
      });
      expect(await countOf('record')).toBe(before);
    },
    DEADLINE_MS,
  );

  it('is kept beside the records, with nothing of the key or the body', async () => {
    const key = `order ${randomUUID()}`;
    await tokenize(key);
    expect(await countOf('request')).toBeGreaterThan(0);
    const { dynamodb } = emulatorClients(suite.state.aws.endpointUrl, suite.state.aws.region);
    const { found } = await searchForLeaks(
      suite.state.directory,
      dynamodb,
      Object.values(suite.state.tables),
      [key, PAN, OTHER_PAN],
    );
    expect(found).toEqual([]);
  });
});

describe('an upsert by reference', () => {
  it('makes a token for order, whose record it replaces from then on, and paybill sees the last', async () => {
    const reference = `customer-${randomUUID().slice(0, 5)}`;
    const made = await upsert(reference, { ...card(), version: 0 });
    expect(made).toMatchObject({ status: 201, document: { version: 1 } });
    const replaced = await upsert(reference, { ...card(OTHER_PAN), version: 1 });
    expect(replaced).toMatchObject({ status: 200, document: { ...made.document, version: 2 } });
    expect(await shown(made.document['token'])).toBe(OTHER_PAN);
    expect(await upsert(reference, { ...card(), version: 1 })).toMatchObject({
      status: 409,
      document: { code: 'ERR_VERSION_CONFLICT', detail: 'the record has another version: expected 1, got 2' },
    });
  });

  it(
    'of many at once makes one token, which all get',
    async () => {
      const [reference, before] = [`many-${randomUUID().slice(0, 5)}`, await countOf('record')];
      const answers = await Promise.all(Array.from({ length: 8 }, () => upsert(reference, card())));
      expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([
        ...Array.from({ length: 7 }, () => 200),
        201,
      ]);
      expect(new Set(answers.map(({ document }) => document['token'])).size).toBe(1);
      expect(await countOf('record')).toBe(before + 1);
    },
    DEADLINE_MS,
  );

  it('makes another token once the one behind it is deleted', async () => {
    const reference = `gone-${randomUUID().slice(0, 5)}`;
    const { document } = await upsert(reference, card());
    const token = String(document['token']);
    expect((await callAs(suite.state, 'order', 'DELETE', `/v1/tokens/${token}`)).status).toBe(204);
    const next = await upsert(reference, { ...card(), version: 0 });
    expect([next.status, next.document['token'] === token]).toEqual([201, false]);
  });

  it('refuses paybill, and a reference that may be a card number', async () => {
    const refused = await callAs(suite.state, 'paybill', 'PUT', '/v1/references/a', card());
    expect(refused.status).toBe(403);
    expect((await upsert('4111-1111-1111-1111', card())).status).toBe(400);
  });
});

it(
  'leaves an audit that is whole, and rows that are what it says',
  async () => {
    const { code, stdout } = await mesh(suite.run, ['audit', 'verify']);
    expect([code, stdout]).toEqual([0, expect.stringContaining('every row is what the audit says')]);
  },
  DEADLINE_MS,
);
