/**
 * On a running mesh: honey tokens, which look like any other and raise the alarm; and keys that are
 * destroyed, after which nothing that they sealed opens any more.
 *
 * @module
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetItemCommand, ScanCommand, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { nodeState } from '../../operator/run-state.ts';
import { createEgress } from '../../runtime/egress.ts';
import { testCard } from '../../sample-apps/test-cards.ts';
import { sealerOf } from '../support/sealer-of.ts';
import { fromItem } from '../../sidecar/tokenizer/adapters/record-item.ts';
import type { FoundRecord } from '../../sidecar/tokenizer/core/audit/find-records.ts';
import { contextOf } from '../../sidecar/tokenizer/core/encryption-context.ts';
import { callAs, type MeshAnswer } from '../support/mesh-call.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';
import { mesh } from '../support/running-mesh.ts';

const DEADLINE_MS = 120_000;

const PAN = testCard('mastercard', 16).number;

const suite = meshOfSuite();

async function tokenize(more: object = {}): Promise<MeshAnswer> {
  const body = { fields: { number: { class: 'pan', value: PAN } }, ...more };
  return await callAs(suite.state, 'order', 'POST', '/v1/tokens', body);
}

async function newToken(more: object = {}): Promise<string> {
  const { status, document } = await tokenize(more);
  expect([status, document['code']]).toEqual([201, undefined]);
  return String(document['token']);
}

const reveal = (token: string) => callAs(suite.state, 'paybill', 'POST', '/v1/detokenize', { token });

/** Asks again until the answer is as expected, for the time in which every task must have learned of it. */
async function until(code: string, withinMs: number, ask: () => Promise<MeshAnswer>): Promise<MeshAnswer> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer.document['code'] === code || Date.now() > deadline) return answer;
    await sleep(500);
  }
}

async function itemOf(token: string): Promise<Record<string, AttributeValue>> {
  const { dynamodb } = emulatorClients(suite.state.aws.endpointUrl, suite.state.aws.region);
  const Key = { pk: { S: `shop#${token}` }, sk: { S: 'record' } };
  return (await dynamodb.send(new GetItemCommand({ TableName: suite.state.tables.tokens, Key }))).Item ?? {};
}

/** The row as whoever has the table and the vault's KMS key could try to open it, with no memory of any key. */
async function openRaw(token: string, item: Record<string, AttributeValue>): Promise<string> {
  const { dynamodb, kms } = emulatorClients(suite.state.aws.endpointUrl, suite.state.aws.region);
  const location = {
    dynamodb,
    kms,
    keysTableName: suite.state.tables.keys,
    kmsKeyArn: suite.state.vaultKeyArn,
  };
  const record = fromItem({ tenant: 'shop', token }, item);
  const field = record.fields.get('number');
  if (field === undefined) throw new Error('expected a field');
  const context = contextOf(record, 'number', field.class);
  return Buffer.from(await sealerOf(location).open(field.message, context)).toString();
}

describe('a honey token', () => {
  const logged = (): string =>
    readdirSync(suite.state.directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.log'))
      .map((name) => readFileSync(join(suite.state.directory, name), 'utf8'))
      .join('\n');
  const alarms = (): Record<string, unknown>[] =>
    logged()
      .split('\n')
      .filter((line) => line.includes('honey-token'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  async function metric(): Promise<string | undefined> {
    const dispatcher = createEgress(nodeState(suite.state, 'tokenizer').appSocket ?? '');
    const answer = await request('http://tokenizer/metrics', { dispatcher });
    const text = await answer.body.text();
    await dispatcher.close();
    return /^tokenmesh_honey_token_uses_total\{node="paybill",operation="detokenize"\} (\d+)$/m.exec(
      text,
    )?.[1];
  }

  it(
    'is answered like any other, raises the alarm, and is told by nothing in the table',
    async () => {
      const planted = await mesh(suite.run, ['honey', 'plant']);
      const honey = planted.stdout.trim();
      expect([planted.code, honey]).toEqual([0, expect.stringMatching(/^tkn_[b-t]{40}$/)]);
      const ordinary = await newToken();
      await sleep(5_500);
      const [one, other] = [await reveal(honey), await reveal(ordinary)];
      expect([one.status, one.document]).toEqual([
        200,
        { fields: { number: { value: testCard('visa', 16).number, form: 'plain' } } },
      ]);
      expect([other.status, Object.keys(one.headers).toSorted()]).toEqual([
        200,
        Object.keys(other.headers).toSorted(),
      ]);
      await callAs(suite.state, 'order', 'GET', `/v1/tokens/${honey}`);
      expect(alarms().map(({ operation, identity }) => [operation, identity])).toEqual([
        ['detokenize', 'paybill.tokenmesh.internal'],
        ['describe', 'order.tokenmesh.internal'],
      ]);
      expect(await metric()).toBe('1');
      expect(logged()).not.toContain(honey);
      const found = JSON.parse(
        (await mesh(suite.run, ['audit', 'find', '-', '--json'], honey)).stdout,
      ) as FoundRecord[];
      expect(found.map(({ record }) => [record.operation, record.honey])).toEqual([
        ['tokenize', undefined],
        ['detokenize', true],
        ['describe', true],
      ]);
      const [item, plainItem] = [await itemOf(honey), await itemOf(ordinary)];
      expect(Object.keys(item).toSorted()).toEqual(Object.keys(plainItem).toSorted());
      const { dynamodb } = emulatorClients(suite.state.aws.endpointUrl, suite.state.aws.region);
      const { Items } = await dynamodb.send(new ScanCommand({ TableName: suite.state.tables.tokens }));
      const naming = (Items ?? []).filter((each) => JSON.stringify(each).includes(honey));
      expect(naming.map((each) => each['pk']?.S)).toEqual([`shop#${honey}`]);
    },
    DEADLINE_MS,
  );

  it(
    'may be any token, and raises no alarm once it is removed',
    async () => {
      const token = await newToken();
      expect((await mesh(suite.run, ['honey', 'add', '-'], token)).code).toBe(0);
      expect((await mesh(suite.run, ['honey', 'list'])).stdout).toContain('honey tokens: 2');
      await sleep(5_500);
      const before = alarms().length;
      await reveal(token);
      expect(alarms()).toHaveLength(before + 1);
      expect((await mesh(suite.run, ['honey', 'remove', '-'], token)).code).toBe(0);
      expect((await mesh(suite.run, ['honey', 'remove', '-'], token)).stderr).toContain('is no honey token');
      await sleep(5_500);
      await reveal(token);
      expect(alarms()).toHaveLength(before + 1);
    },
    DEADLINE_MS,
  );
});

describe('a subject', () => {
  it(
    'is forgotten with its key: no task opens what was sealed for it, and the raw row does not open either',
    async () => {
      const subject = 'customer-0042';
      expect((await tokenize({ subject })).document).toMatchObject({
        status: 400,
        code: 'ERR_SUBJECT_UNKNOWN',
      });
      expect((await mesh(suite.run, ['subjects', 'create', 'shop', subject])).code).toBe(0);
      const [token, other] = [await newToken({ subject }), await newToken()];
      expect((await reveal(token)).document).toMatchObject({ fields: { number: { value: PAN } } });
      expect((await callAs(suite.state, 'order', 'GET', `/v1/tokens/${token}`)).document).toMatchObject({
        subject,
      });
      const raw = await itemOf(token);
      expect(await openRaw(token, raw)).toBe(PAN);
      const unconfirmed = await mesh(suite.run, ['subjects', 'shred', 'shop', subject]);
      expect([unconfirmed.code, unconfirmed.stderr]).toEqual([2, expect.stringContaining('--yes')]);
      expect((await reveal(token)).status).toBe(200);
      expect(await mesh(suite.run, ['subjects', 'shred', 'shop', subject, '--yes'])).toMatchObject({
        code: 0,
      });
      const shredded = { status: 410, document: { code: 'ERR_SUBJECT_SHREDDED' } };
      expect(await until('ERR_SUBJECT_SHREDDED', 31_000, () => reveal(token))).toMatchObject(shredded);
      expect(await tokenize({ subject })).toMatchObject(shredded);
      await expect(openRaw(token, raw)).rejects.toMatchObject({ code: 'ERR_SUBJECT_SHREDDED' });
      expect((await reveal(other)).status).toBe(200);
      expect((await mesh(suite.run, ['audit', 'verify'])).code).toBe(0);
      expect((await callAs(suite.state, 'order', 'DELETE', `/v1/tokens/${token}`)).status).toBe(204);
    },
    DEADLINE_MS,
  );
});

describe('a tenant', () => {
  it(
    'is forgotten with its keys within five seconds, while the service stays ready',
    async () => {
      const token = await newToken();
      const raw = await itemOf(token);
      expect(await openRaw(token, raw)).toBe(PAN);
      const { code, stdout } = await mesh(suite.run, ['tenants', 'shred', 'shop', '--yes']);
      expect([code, stdout]).toEqual([0, expect.stringMatching(/^tenant shop: \d+ keys destroyed; /)]);
      const shredded = { status: 410, document: { code: 'ERR_TENANT_SHREDDED' } };
      expect(await until('ERR_TENANT_SHREDDED', 6_000, () => reveal(token))).toMatchObject(shredded);
      expect(await tokenize()).toMatchObject(shredded);
      await expect(openRaw(token, raw)).rejects.toMatchObject({ code: 'ERR_TENANT_SHREDDED' });
      expect((await callAs(suite.state, 'order', 'GET', '/readyz')).status).toBe(200);
      expect((await mesh(suite.run, ['tenants', 'create', 'shop'])).code).toBe(1);
      expect((await mesh(suite.run, ['audit', 'verify'])).code).toBe(0);
    },
    DEADLINE_MS,
  );
});
