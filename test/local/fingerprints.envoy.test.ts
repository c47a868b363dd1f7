/**
 * Tokens that follow from their value, and values that are found, on a running mesh: by order and paybill
 * through Envoy, and all through a rotation of the key by which values are recognized.
 *
 * @module
 */

import { PutItemCommand, ScanCommand, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from '@jest/globals';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { testCard } from '../../sample-apps/test-cards.ts';
import { isToken } from '../../sidecar/tokenizer/core/token.ts';
import { callAs, type MeshAnswer } from '../support/mesh-call.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';
import { mesh } from '../support/running-mesh.ts';

const PAN = testCard('visa', 16).number;
const OTHER_PAN = testCard('mastercard', 16).number;

const suite = meshOfSuite();

const asOrder = (path: string, body: object): Promise<MeshAnswer> =>
  callAs(suite.state, 'order', 'POST', path, body);
const reveal = (token: string): Promise<MeshAnswer> =>
  callAs(suite.state, 'paybill', 'POST', '/v1/detokenize', { token });

async function tokenOf(value: string, more: object = {}, field: object = {}): Promise<string> {
  const body = { fields: { it: { class: 'pan', value, ...field } }, ...more };
  const { status, document } = await asOrder('/v1/tokens', body);
  expect([status, document['code']]).toEqual([201, undefined]);
  return String(document['token']);
}

async function found(value: string, fieldClass = 'pan'): Promise<string[]> {
  const { status, document } = await asOrder('/v1/values/search', { class: fieldClass, value });
  expect(status).toBe(200);
  return (document['tokens'] as string[]).toSorted();
}

/** As a command leaves it that is cut off before it has destroyed the key of a version that is read no more. */
async function leaveVersion(version: number): Promise<void> {
  const { dynamodb } = emulatorClients(suite.state.aws.endpointUrl, suite.state.aws.region);
  const Item = { 'branch-key-id': { S: 'fingerprint#shop' }, type: { S: `version#${version}` } };
  await dynamodb.send(new PutItemCommand({ TableName: suite.state.tables.keys, Item }));
}

async function rowsOf(tableName: string): Promise<Record<string, AttributeValue>[]> {
  const { dynamodb } = emulatorClients(suite.state.aws.endpointUrl, suite.state.aws.region);
  return (await dynamodb.send(new ScanCommand({ TableName: tableName, ConsistentRead: true }))).Items ?? [];
}

describe('a deterministic token', () => {
  it.each(['default', 'uuid', 'pan', 'pan-random'])(
    'is one token and one record for fifty who ask at once, and leads back: %s',
    async (format) => {
      const value = testCard('visa', 16).number;
      const made = await Promise.all(
        Array.from({ length: 50 }, () => tokenOf(value, { kind: 'deterministic', format })),
      );
      expect(new Set(made).size).toBe(1);
      const [token = ''] = made;
      expect(isToken(token)).toBeDefined();
      const rows = (await rowsOf(suite.state.tables.tokens)).filter(
        (row) => row['pk']?.S === `shop#${token}`,
      );
      expect(rows).toHaveLength(1);
      expect((await reveal(token)).document).toEqual({ fields: { it: { value, form: 'plain' } } });
    },
  );

  it('is the same in a batch, and another for another value', async () => {
    const item = (value: string) => ({ fields: { it: { class: 'pan', value } }, kind: 'deterministic' });
    const { document } = await asOrder('/v1/tokens/batch', {
      items: [item(PAN), item(OTHER_PAN), item(PAN)],
    });
    const [one, other, again] = (document['results'] as { token: string }[]).map(({ token }) => token);
    expect([one === again, one === other]).toEqual([true, false]);
  });
});

describe('a one-way token', () => {
  it('is the same for the same value, and leads nowhere', async () => {
    const [one, again] = [await tokenOf(PAN, { kind: 'one-way' }), await tokenOf(PAN, { kind: 'one-way' })];
    expect(one).toBe(again);
    expect(await reveal(one)).toMatchObject({ status: 409, document: { code: 'ERR_TOKEN_ONE_WAY' } });
    const text = await callAs(suite.state, 'paybill', 'POST', '/v1/text/detokenize', { text: one });
    expect(text.document).toMatchObject({ text: one, replacements: { unusable: 1 } });
  });
});

describe('a value', () => {
  it('is found where it was made to be, and gone from the index with its token', async () => {
    const value = 'Joanna Bloggs';
    const body = { fields: { who: { class: 'name', value, searchable: true } } };
    const tokens = await Promise.all(
      [1, 2, 3].map(async () => String((await asOrder('/v1/tokens', body)).document['token'])),
    );
    await asOrder('/v1/tokens', { fields: { who: { class: 'name', value } } });
    expect(await found(value, 'name')).toEqual(tokens.toSorted());
    expect(await found('Joanna Blogg', 'name')).toEqual([]);
    const before = (await rowsOf(suite.state.tables.fingerprints)).length;
    await callAs(suite.state, 'order', 'DELETE', `/v1/tokens/${tokens[0]}`);
    expect((await rowsOf(suite.state.tables.fingerprints)).length).toBe(before - 1);
    expect(await found(value, 'name')).toEqual(tokens.slice(1).toSorted());
  });

  it('is asked about by rights of their own, and so are tokens', async () => {
    const token = await tokenOf(OTHER_PAN, {}, { searchable: true });
    const about = { class: 'pan', value: OTHER_PAN };
    expect((await asOrder('/v1/values/tokenized', about)).document).toEqual({ tokenized: true });
    expect((await asOrder('/v1/values/tokenized', { class: 'name', value: 'Nobody' })).document).toEqual({
      tokenized: false,
    });
    for (const path of ['/v1/values/search', '/v1/values/tokenized']) {
      expect((await callAs(suite.state, 'paybill', 'POST', path, about)).status).toBe(403);
    }
    const validate = (node: string, given: string) =>
      callAs(suite.state, node, 'POST', '/v1/tokens/validate', { token: given });
    expect((await validate('paybill', token)).document).toEqual({ valid: true });
    expect((await validate('paybill', PAN)).document).toEqual({ valid: false });
    expect((await validate('outsider', token)).status).toBe(403);
  });

  it('is nowhere in the index, nor a token, nor the last four digits of a card', async () => {
    const token = await tokenOf(PAN, { kind: 'deterministic', format: 'pan' });
    const rows = await rowsOf(suite.state.tables.fingerprints);
    expect(rows.length).toBeGreaterThan(5);
    const names = new Set(rows.flatMap((row) => Object.keys(row)));
    expect([...names].filter((name) => !['pk', 'sk', 'token', 'expiresAt'].includes(name))).toEqual([]);
    for (const row of rows) {
      const text = [row['pk']?.S, row['sk']?.S, Buffer.from(row['token']?.B ?? '').toString('latin1')].join(
        ' ',
      );
      for (const secret of [PAN, token, OTHER_PAN]) expect(text).not.toContain(secret);
      expect(row['pk']?.S).toMatch(/^shop#\d+#[a-p]{64}$/);
    }
  });
});

describe('a rotation of the fingerprint key', () => {
  it('goes on beside reads and writes, with no value missed, doubled or refused, and ends with the new version alone', async () => {
    const deterministic = await tokenOf(PAN, { kind: 'deterministic' });
    const searchable = await tokenOf(PAN, {}, { searchable: true });
    const oneWay = await tokenOf(OTHER_PAN, { kind: 'one-way' });
    const unseen = await tokenOf(PAN, { kind: 'one-way' });
    const before = await found(PAN);
    expect(before).toEqual(expect.arrayContaining([deterministic, searchable]));
    const rotation = { isOver: false };
    let rounds = 0;
    const wrong: string[] = [];
    const traffic = async (): Promise<void> => {
      for (; !rotation.isOver; rounds += 1) {
        const value = `new value ${rounds}`;
        const fresh = { fields: { it: { class: 'text', value } }, kind: 'deterministic' };
        const answers = await Promise.all([
          ...[1, 2, 3].map(() => asOrder('/v1/tokens', fresh)),
          asOrder('/v1/tokens', { fields: { it: { class: 'pan', value: PAN } }, kind: 'deterministic' }),
          asOrder('/v1/values/search', { class: 'pan', value: PAN }),
        ]);
        const [one, two, three, old, search] = answers.map(({ document }) => document);
        const made = new Set([one, two, three].map((each) => each?.['token']));
        if (made.size !== 1 || made.has(undefined)) wrong.push(`round ${rounds}: ${made.size} tokens`);
        if (old?.['token'] !== deterministic) wrong.push(`round ${rounds}: another token for a known value`);
        const tokens = (search?.['tokens'] as string[] | undefined)?.toSorted();
        if (JSON.stringify(tokens) !== JSON.stringify(before)) wrong.push(`round ${rounds}: found others`);
      }
    };
    const going = traffic();
    const rotated = await mesh(suite.run, ['fingerprints', 'rotate', 'shop']);
    rotation.isOver = true;
    await going;
    expect([rotated.code, wrong]).toEqual([0, []]);
    expect(rounds).toBeGreaterThan(20);
    expect(rotated.stdout).toContain('version 2 is in use');
    expect(rotated.stderr).toMatch(
      /indexing what is stored: version 2, \d+ records looked through, \d+ indexed/,
    );
    expect(rotated.stdout).toMatch(/; \d+ one-way tokens keep version 1 until their values are seen again/);
    expect(await tokenOf(OTHER_PAN, { kind: 'one-way' })).toBe(oneWay);
    const left = (await rowsOf(suite.state.tables.fingerprints)).filter((row) =>
      row['pk']?.S?.startsWith('shop#1#'),
    );
    for (const row of left) expect(row['sk']?.S).toMatch(/^(claim#one-way|place)#/);
    await leaveVersion(0);
    const forgotten = await mesh(suite.run, ['fingerprints', 'rotate', 'shop', '--forget']);
    expect([forgotten.code, forgotten.stdout]).toEqual([0, 'tenant shop: version 2 is in use\n']);
    const status = await mesh(suite.run, ['fingerprints', 'status', 'shop', '--json']);
    expect(JSON.parse(status.stdout)).toMatchObject({ write: [2], read: [2], phase: 'steady' });
    expect(await tokenOf(OTHER_PAN, { kind: 'one-way' })).toBe(oneWay);
    expect(await tokenOf(PAN, { kind: 'deterministic' })).toBe(deterministic);
    // That is what is forgotten: its value was not seen since, and nothing is kept of it.
    expect(await found(PAN)).toEqual(before.filter((token) => token !== unseen));
    const rows = await rowsOf(suite.state.tables.fingerprints);
    expect(rows.filter((row) => row['pk']?.S?.startsWith('shop#1#'))).toEqual([]);
    const keys = (await rowsOf(suite.state.tables.keys)).filter(
      (row) => row['branch-key-id']?.S === 'fingerprint#shop',
    );
    expect(new Set(keys.map((row) => row['type']?.S))).toEqual(new Set(['state', 'version#2']));
    expect((await mesh(suite.run, ['audit', 'verify'])).code).toBe(0);
  }, 180_000);

  it('says which tenant it does not know', async () => {
    const refused = await mesh(suite.run, ['fingerprints', 'status', 'nobody']);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('no fingerprint key')]);
  });
});
