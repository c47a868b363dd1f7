/**
 * The life of a token on a running mesh: security codes that are read once, expiry and sweeping, archive
 * and restore; through Envoy, as order and as paybill.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { QueryCommand, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { describe, expect, it, jest } from '@jest/globals';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { testCard } from '../../sample-apps/test-cards.ts';
import { callAs, type MeshAnswer } from '../support/mesh-call.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';
import { mesh } from '../support/running-mesh.ts';

const DEADLINE_MS = 120_000;

const PAN = testCard('visa', 16).number;
const CODE = '839';
const RECORD = { fields: { card: { class: 'pan', value: PAN }, code: { class: 'cvv', value: CODE } } };

// A busy machine takes longer than jest's five seconds for some of them.
jest.setTimeout(DEADLINE_MS);

const suite = meshOfSuite({ TOKENMESH_SWEEP_SECONDS: '1' });

const asOrder = (
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: object,
): Promise<MeshAnswer> => callAs(suite.state, 'order', method, path, body);
const reveal = (token: string, fields?: readonly string[], purpose = 'payment'): Promise<MeshAnswer> =>
  callAs(suite.state, 'paybill', 'POST', '/v1/detokenize', {
    token,
    purpose,
    ...(fields === undefined ? {} : { fields }),
  });

async function newToken(body: object = RECORD): Promise<string> {
  const { status, document } = await asOrder('POST', '/v1/tokens', body);
  expect([status, document['code']]).toEqual([201, undefined]);
  return String(document['token']);
}

/** What the table has of a token: the record, and the code beside it. */
async function rowsOf(token: string): Promise<Record<string, AttributeValue>[]> {
  const { dynamodb } = emulatorClients(suite.state.aws.endpointUrl, suite.state.aws.region);
  const answer = await dynamodb.send(
    new QueryCommand({
      TableName: suite.state.tables.tokens,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: `shop#${token}` } },
      ConsistentRead: true,
    }),
  );
  return answer.Items ?? [];
}

/** DynamoDB answers in their order. */
const sortKeys = async (token: string): Promise<(string | undefined)[]> =>
  (await rowsOf(token)).map((row) => row['sk']?.S);

/** Until the table has nothing of it any more. */
async function untilSwept(token: string, withinMs = 30_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while ((await rowsOf(token)).length > 0) {
    if (Date.now() > deadline) throw new Error('expected the sweeper to have been here');
    await sleep(250);
  }
}

describe('a security code', () => {
  it('is read once, where it is named, and its row is gone before it is shown', async () => {
    const token = await newToken();
    expect(await sortKeys(token)).toEqual(['code', 'record']);
    expect((await reveal(token)).document).toEqual({ fields: { card: { value: PAN, form: 'plain' } } });
    expect((await reveal(token, ['code'], 'support')).document).toEqual({
      fields: { code: { value: '***', form: 'masked' } },
    });
    expect((await reveal(token, ['card', 'code'])).document).toEqual({
      fields: { card: { value: PAN, form: 'plain' }, code: { value: CODE, form: 'plain' } },
    });
    expect(await sortKeys(token)).toEqual(['record']);
    expect(await reveal(token, ['code'])).toMatchObject({ status: 410, document: { code: 'ERR_CODE_GONE' } });
    expect((await reveal(token)).status).toBe(200);
  });

  it('goes to exactly one of twenty who ask at once', async () => {
    const token = await newToken();
    const answers = await Promise.all(Array.from({ length: 20 }, () => reveal(token, ['code'])));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ document }) => document['code'] === 'ERR_CODE_GONE')).toHaveLength(19);
  });

  it('refuses every pair of hands but those that charge the card', async () => {
    const token = await newToken();
    expect(
      (await callAs(suite.state, 'order', 'POST', '/v1/detokenize', { token, fields: ['code'] })).status,
    ).toBe(403);
    expect((await asOrder('GET', `/v1/tokens/${token}`)).document).toMatchObject({
      fields: { code: { class: 'cvv' } },
    });
    expect(await sortKeys(token)).toEqual(['code', 'record']);
  });

  it('comes with each of a thousand records of a batch', async () => {
    const items = Array.from({ length: 1_000 }, () => RECORD);
    const made = await asOrder('POST', '/v1/tokens/batch', { items });
    const tokens = (made.document['results'] as { token: string }[]).map(({ token }) => token);
    expect(new Set(tokens).size).toBe(1_000);
    for (const token of [tokens[0], tokens[999]]) {
      expect((await reveal(token ?? '', ['code'])).document).toMatchObject({
        fields: { code: { value: CODE } },
      });
    }
  }, 60_000);

  it('never gets into a text, though its token does', async () => {
    const token = await newToken({ fields: { code: { class: 'cvv', value: CODE } } });
    const text = await callAs(suite.state, 'paybill', 'POST', '/v1/text/detokenize', {
      text: `code ${token}`,
    });
    expect(text.document).toMatchObject({ text: `code ${token}`, replacements: { unusable: 1 } });
    expect((await reveal(token)).document).toEqual({ fields: {} });
    expect((await reveal(token, ['code'])).document).toMatchObject({ fields: { code: { value: CODE } } });
    const again = await callAs(suite.state, 'paybill', 'POST', '/v1/text/detokenize', {
      text: `code ${token}`,
    });
    expect(again.status).toBe(200);
  });

  it('lives an hour, or as long as its record where that is shorter', async () => {
    const [token, brief] = [await newToken(), await newToken({ ...RECORD, ttlSeconds: 60 })];
    const lifeOf = async (each: string): Promise<number> => {
      const [code, record] = (await rowsOf(each)).toSorted((one) => (one['sk']?.S === 'code' ? -1 : 1));
      return Number(code?.['expiresAtMs']?.N) - Date.parse(record?.['createdAt']?.S ?? '');
    };
    expect([await lifeOf(token), await lifeOf(brief)]).toEqual([3_600_000, 60_000]);
  });

  it('is gone from the table once it has expired, though nobody ever read it', async () => {
    const token = await newToken({ ...RECORD, ttlSeconds: 1 });
    await sleep(1_100);
    // As soon as it is swept, it is as one that never was.
    expect([410, 404]).toContain((await reveal(token, ['code'])).status);
    await untilSwept(token);
    expect((await reveal(token)).document).toMatchObject({ code: 'ERR_TOKEN_UNKNOWN' });
  }, 60_000);
});

describe('a token that expires', () => {
  it('answers 410 from then on, is swept, and then answers 404', async () => {
    const lasting = await newToken();
    // Long enough that a busy machine still reads it in time.
    const token = await newToken({ ...RECORD, ttlSeconds: 10 });
    expect((await reveal(token)).status).toBe(200);
    await sleep(10_100);
    expect(['ERR_TOKEN_EXPIRED', 'ERR_TOKEN_UNKNOWN']).toContain((await reveal(token)).document['code']);
    await untilSwept(token);
    expect(await reveal(token)).toMatchObject({ status: 404 });
    expect((await reveal(lasting)).status).toBe(200);
    const { stdout } = await mesh(suite.run, ['audit', 'find', '-', '--json'], token);
    expect(
      (JSON.parse(stdout) as { record: { operation: string } }[]).map(({ record }) => record.operation),
    ).toContain('sweep');
  }, 60_000);
});

describe('an archived token', () => {
  it('reveals nothing until it is restored', async () => {
    const token = await newToken();
    const [before] = await rowsOf(token);
    const archived = await asOrder('POST', `/v1/tokens/${token}/archive`);
    expect([archived.status, archived.document]).toEqual([
      200,
      { token, archivedAt: expect.any(String) as unknown },
    ]);
    const again = await asOrder('POST', `/v1/tokens/${token}/archive`);
    expect([again.status, again.document]).toEqual([200, archived.document]);
    expect(await reveal(token)).toMatchObject({ status: 410, document: { code: 'ERR_TOKEN_ARCHIVED' } });
    const text = await callAs(suite.state, 'paybill', 'POST', '/v1/text/detokenize', {
      text: `card ${token}`,
    });
    expect(text.document).toMatchObject({ text: `card ${token}`, replacements: { unknown: 1 } });
    expect((await asOrder('GET', `/v1/tokens/${token}`)).document).toMatchObject({
      archivedAt: archived.document['archivedAt'],
    });
    const restored = await asOrder('POST', `/v1/tokens/${token}/restore`);
    expect([restored.status, restored.document]).toEqual([200, { token }]);
    expect((await rowsOf(token))[0]).toEqual(before);
    expect((await reveal(token)).status).toBe(200);
  });

  it('refuses paybill, which is not to write', async () => {
    const token = await newToken();
    const refused = await callAs(suite.state, 'paybill', 'POST', `/v1/tokens/${token}/archive`);
    expect(refused.status).toBe(403);
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
