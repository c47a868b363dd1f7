/**
 * Rows of a running vault that somebody tampers with: what was moved, swapped or changed does not open,
 * with one same answer; what was put back as it once was opens, and is found by the audit.
 *
 * @module
 */

import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  type AttributeValue,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { callTokenizer } from '../../operator/vault-call.ts';
import { testCard } from '../../sample-apps/test-cards.ts';
import { sealerOf } from '../support/sealer-of.ts';
import type { AuditVerification } from '../../sidecar/tokenizer/core/audit/verify-audit.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';
import { mesh } from '../support/running-mesh.ts';
import { callAs } from '../support/mesh-call.ts';

const DEADLINE_MS = 120_000;

const PAN = testCard('visa', 16).number;
const OTHER_PAN = testCard('mastercard', 16).number;

type Row = Record<string, AttributeValue>;

const suite = meshOfSuite();
let dynamodb: DynamoDBClient;

beforeAll(() => {
  dynamodb = emulatorClients(suite.state.aws.endpointUrl, suite.state.aws.region).dynamodb;
});

const fieldsOf = (value: string): object => ({ fields: { it: { class: 'pan', value } } });

async function tokenize(more: object = {}, value = PAN): Promise<string> {
  const body = { ...fieldsOf(value), ...more };
  return ((await callTokenizer(suite.state, 'order', '/v1/tokens', body)) as { token: string }).token;
}

const reveal = (token: string) => callAs(suite.state, 'paybill', 'POST', '/v1/detokenize', { token });

async function rowOf(token: string): Promise<Row> {
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName: suite.state.tables.tokens, Key: keyOf(token), ConsistentRead: true }),
  );
  if (Item === undefined) throw new Error('expected a row');
  return Item;
}

const keyOf = (token: string): Row => ({
  pk: { S: `shop#${token}` },
  sk: { S: 'record' },
});

const put = async (Item: Row): Promise<unknown> =>
  await dynamodb.send(new PutItemCommand({ TableName: suite.state.tables.tokens, Item }));

const remove = async (token: string): Promise<unknown> =>
  await dynamodb.send(new DeleteItemCommand({ TableName: suite.state.tables.tokens, Key: keyOf(token) }));

const without = (row: Row, ...names: string[]): Row =>
  Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name)));

function withField(row: Row, change: Row): Row {
  const field = row['fields']?.M?.['it']?.M ?? {};
  return { ...row, fields: { M: { it: { M: { ...field, ...change } } } } };
}

function withMessage(row: Row, change: (message: Uint8Array) => Uint8Array): Row {
  return withField(row, { message: { B: change(messageOf(row)) } });
}

const messageOf = (row: Row): Uint8Array => row['fields']?.M?.['it']?.M?.['message']?.B ?? new Uint8Array();

const UNOPENABLE = {
  type: 'urn:tokenmesh:error:ERR_RECORD_UNOPENABLE',
  title: 'The record does not open.',
  status: 500,
  detail: 'the record does not open',
  code: 'ERR_RECORD_UNOPENABLE',
};

describe('a row that somebody tampers with', () => {
  it.each<[string, object, (row: Row, other: Row) => Row]>([
    ['the message of another row', {}, (row, other) => withMessage(row, () => messageOf(other))],
    [
      'one byte changed',
      {},
      (row) => withMessage(row, (message) => message.map((byte, index) => (index === 40 ? byte ^ 1 : byte))),
    ],
    ['its message cut short', {}, (row) => withMessage(row, (message) => message.subarray(0, -1))],
    ['another class', {}, (row) => withField(row, { class: { S: 'iban' } })],
    ['no expiry any more', { ttlSeconds: 3_600 }, (row) => without(row, 'expiresAt', 'expiresAtMs')],
    [
      'a later expiry',
      { ttlSeconds: 3_600 },
      (row) => ({ ...row, expiresAtMs: { N: String(Number(row['expiresAtMs']?.N) + 1) } }),
    ],
    ['no kind any more, so that it is read for ever', { kind: 'one-time' }, (row) => without(row, 'kind')],
    ['another format', { format: 'uuid' }, (row) => ({ ...row, format: { S: 'region' } })],
    ['another revision', { kind: 'pointer' }, (row) => ({ ...row, revision: { N: '2' } })],
  ])(
    'refuses a row with %s, with one same answer',
    async (_what, more, tamper) => {
      const [token, other] = [await tokenize(more), await tokenize(more, OTHER_PAN)];
      const row = await rowOf(token);
      await put(tamper(row, await rowOf(other)));
      const { status, document } = await reveal(token);
      expect([status, document]).toEqual([500, expect.objectContaining(UNOPENABLE)]);
      await put(row);
      expect(await reveal(token)).toMatchObject({
        status: 200,
        document: { fields: { it: { value: PAN } } },
      });
    },
    DEADLINE_MS,
  );

  it('refuses a row that was moved to another token', async () => {
    const [token, other] = [await tokenize(), await tokenize({}, OTHER_PAN)];
    const row = await rowOf(token);
    await put({ ...(await rowOf(other)), ...keyOf(token) });
    expect(await reveal(token)).toMatchObject({ status: 500, document: UNOPENABLE });
    await put(row);
    expect((await reveal(token)).status).toBe(200);
  });

  it('refuses a row of another tenant that was moved to this one', async () => {
    expect((await mesh(suite.run, ['tenants', 'create', 'bank'])).stdout).toBe('tenant bank: key made\n');
    const token = await tokenize();
    const row = await rowOf(token);
    const { dynamodb: client, kms } = emulatorClients(suite.state.aws.endpointUrl, suite.state.aws.region);
    const sealer = sealerOf({
      dynamodb: client,
      kms,
      keysTableName: suite.state.tables.keys,
      kmsKeyArn: suite.state.vaultKeyArn,
    });
    const context = { tenant: 'bank', token, field: 'it', class: 'pan' } as const;
    const message = await sealer.seal(Buffer.from(PAN), context);
    expect(Buffer.from(await sealer.open(message, context)).toString()).toBe(PAN);
    await put(withMessage(row, () => message));
    expect(await reveal(token)).toMatchObject({ status: 500, document: UNOPENABLE });
    await put(row);
  });

  it('refuses an old message under a newer version', async () => {
    const token = await tokenize({ kind: 'pointer' });
    const old = await rowOf(token);
    await callAs(suite.state, 'order', 'PUT', `/v1/tokens/${token}`, fieldsOf(OTHER_PAN));
    const current = await rowOf(token);
    await put(withMessage(current, () => messageOf(old)));
    expect(await reveal(token)).toMatchObject({ status: 500, document: UNOPENABLE });
    await put(current);
    expect(await reveal(token)).toMatchObject({ document: { fields: { it: { value: OTHER_PAN } } } });
  });
});

describe('mesh audit verify', () => {
  async function verify(): Promise<{ code: number | null; rows: NonNullable<AuditVerification['rows']> }> {
    const { code, stdout } = await mesh(suite.run, ['audit', 'verify', '--json']);
    const { rows } = JSON.parse(stdout) as AuditVerification;
    if (rows === undefined) throw new Error('expected the rows to be looked at');
    return { code, rows };
  }

  it(
    'holds every row against the audit',
    async () => {
      const token = await tokenize();
      await callTokenizer(suite.state, 'order', '/v1/tokens', { ...fieldsOf(PAN), ttlSeconds: 1 });
      const { code, rows } = await verify();
      expect([code, rows.unrecorded, rows.unsettled, rows.problems]).toEqual([0, 0, 0, []]);
      expect(rows.checked).toBeGreaterThan(20);
      expect((await reveal(token)).status).toBe(200);
    },
    DEADLINE_MS,
  );

  it.each<[string, string, () => Promise<() => Promise<unknown>>]>([
    [
      'row-rolled-back',
      'the row of a pointer was put back as it was before it was replaced',
      async () => {
        const token = await tokenize({ kind: 'pointer' });
        const old = await rowOf(token);
        await callAs(suite.state, 'order', 'PUT', `/v1/tokens/${token}`, fieldsOf(OTHER_PAN));
        const current = await rowOf(token);
        await put(old);
        expect(await reveal(token)).toMatchObject({ document: { fields: { it: { value: PAN } } } });
        return () => put(current);
      },
    ],
    [
      'row-rolled-back',
      'a one-time record was put back after it was used',
      async () => {
        const token = await tokenize({ kind: 'one-time' });
        const old = await rowOf(token);
        expect((await reveal(token)).status).toBe(200);
        const tombstone = await rowOf(token);
        await put(old);
        return () => put(tombstone);
      },
    ],
    [
      'row-restored',
      'a record was put back after it was deleted',
      async () => {
        const token = await tokenize();
        const old = await rowOf(token);
        await callAs(suite.state, 'order', 'DELETE', `/v1/tokens/${token}`);
        await put(old);
        return () => remove(token);
      },
    ],
    [
      'row-restored',
      'a security code was put back after it was read',
      async () => {
        const fields = { it: { class: 'pan', value: PAN }, code: { class: 'cvv', value: '123' } };
        const token = await tokenize({ fields });
        const Key = { ...keyOf(token), sk: { S: 'code' } };
        const { Item = {} } = await dynamodb.send(
          new GetItemCommand({ TableName: suite.state.tables.tokens, Key, ConsistentRead: true }),
        );
        const read = await callAs(suite.state, 'paybill', 'POST', '/v1/detokenize', {
          token,
          fields: ['code'],
        });
        expect(read.status).toBe(200);
        await put(Item);
        return () => dynamodb.send(new DeleteItemCommand({ TableName: suite.state.tables.tokens, Key }));
      },
    ],
    [
      'row-missing',
      'a record was removed behind the back of the vault',
      async () => {
        const token = await tokenize();
        const old = await rowOf(token);
        await remove(token);
        return () => put(old);
      },
    ],
    [
      'row-changed',
      'a field was taken out of a record',
      async () => {
        const more = { fields: { it: { class: 'pan', value: PAN }, name: { class: 'name', value: 'A' } } };
        const token = await tokenize(more);
        const old = await rowOf(token);
        await put({ ...old, fields: { M: { it: old['fields']?.M?.['it'] ?? { M: {} } } } });
        return () => put(old);
      },
    ],
  ])(
    'exits with 1 and says %s where %s; and with 0 once that is undone',
    async (kind, _what, tamper) => {
      const undo = await tamper();
      const { code, rows } = await verify();
      await undo();
      expect([code, rows.problems.map((problem) => problem.kind)]).toEqual([1, [kind]]);
      expect((await verify()).code).toBe(0);
    },
    DEADLINE_MS,
  );
});
