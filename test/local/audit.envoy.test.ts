/**
 * The audit of a running mesh: what is in it, and that every way to tamper with its rows is found.
 *
 * @module
 */

import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
  type AttributeValue,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { searchForLeaks } from '../../local/leaks.ts';
import { emulatorClients } from '../../operator/aws-clients.ts';
import type { RunState } from '../../operator/run-state.ts';
import { callTokenizer } from '../../operator/vault-call.ts';
import { testCard } from '../../sample-apps/test-cards.ts';
import type { FoundRecord } from '../../sidecar/tokenizer/core/audit/find-records.ts';
import type { AuditVerification } from '../../sidecar/tokenizer/core/audit/verify-audit.ts';
import { mesh, StartedRun } from '../support/running-mesh.ts';

const START_DEADLINE_MS = 400_000;
const DEADLINE_MS = 120_000;

const CARD = testCard('visa', 16).number;
const RECORD = { fields: { number: { class: 'pan', value: CARD } } };

type Row = Record<string, AttributeValue>;

let run: StartedRun;
let state: RunState;
let dynamodb: DynamoDBClient;
const tokens: string[] = [];

beforeAll(async () => {
  run = new StartedRun();
  await run.says('stop       Ctrl-C', START_DEADLINE_MS);
  state = run.state;
  dynamodb = emulatorClients(state.aws.endpointUrl, state.aws.region).dynamodb;
}, START_DEADLINE_MS);

afterAll(async () => {
  await run.end();
}, DEADLINE_MS);

async function newToken(): Promise<string> {
  const { token } = (await callTokenizer(state, 'order', '/v1/tokens', RECORD)) as { token: string };
  tokens.push(token);
  return token;
}

async function verify(): Promise<{ code: number | null; verification: AuditVerification }> {
  const { code, stdout } = await mesh(run, ['audit', 'verify', '--json']);
  return { code, verification: JSON.parse(stdout) as AuditVerification };
}

async function tail(count: number): Promise<FoundRecord['record'][]> {
  const { stdout } = await mesh(run, ['audit', 'tail', '--json', '-n', String(count)]);
  return (JSON.parse(stdout) as FoundRecord[]).map(({ record }) => record);
}

/** Until the last segment is sealed, which the tokenizer does by itself within two seconds. */
async function untilSealed(): Promise<AuditVerification> {
  for (let waits = 0; waits < 20; waits += 1) {
    const { verification } = await verify();
    if (verification.unsealedSegments === 0) return verification;
    await sleep(300);
  }
  throw new Error('expected the audit to be sealed');
}

describe('the audit of a running mesh', () => {
  it(
    'has the orders that npm start sent, whole and sealed',
    async () => {
      const verification = await untilSealed();
      expect(verification.problems).toEqual([]);
      expect(verification.records).toBeGreaterThanOrEqual(40);
      expect((await verify()).code).toBe(0);
    },
    DEADLINE_MS,
  );

  it(
    'tells who did what, for what and in which form',
    async () => {
      const token = await newToken();
      await callTokenizer(state, 'paybill', '/v1/detokenize', { token });
      await callTokenizer(state, 'paybill', '/v1/detokenize', { token, purpose: 'curiosity' });
      const requestId = expect.stringMatching(/^[0-9a-f-]{36}$/);
      const order = { identity: 'order.tokenmesh.internal', tenant: 'shop', requestId };
      const paybill = { ...order, identity: 'paybill.tokenmesh.internal' };
      expect(await tail(3)).toEqual([
        expect.objectContaining({
          ...order,
          operation: 'tokenize',
          outcome: 'ok',
          fields: [{ class: 'pan' }],
        }),
        expect.objectContaining({
          ...paybill,
          operation: 'detokenize',
          purpose: 'payment',
          outcome: 'ok',
          fields: [{ class: 'pan', form: 'plain' }],
        }),
        expect.objectContaining({
          ...paybill,
          // What the definition does not name is the caller's own text, and stays out.
          purpose: 'other',
          fields: [{ class: 'pan', form: 'masked' }],
        }),
      ]);
    },
    DEADLINE_MS,
  );

  it(
    'has what the policy refused, and not what Envoy refused',
    async () => {
      const token = await newToken();
      const denied = callTokenizer(state, 'paybill', '/v1/detokenize', { token, tenant: 'casino' });
      await expect(denied).rejects.toMatchObject({ code: 'ERR_TENANT_DENIED' });
      // Envoy answers the outsider itself: its own access log has that, and the vault never sees it.
      const outside = callTokenizer(state, 'outsider', '/v1/detokenize', { token });
      await expect(outside).rejects.toMatchObject({ message: expect.stringContaining('403') });
      expect(await tail(2)).toEqual([
        expect.objectContaining({ operation: 'tokenize' }),
        expect.objectContaining({
          identity: 'paybill.tokenmesh.internal',
          tenant: 'other',
          outcome: 'ERR_TENANT_DENIED',
        }),
      ]);
      const all = await tail(10_000);
      expect(all.filter(({ identity }) => identity.startsWith('outsider'))).toEqual([]);
    },
    DEADLINE_MS,
  );

  it(
    'has a record for each item of a batch',
    async () => {
      const before = (await verify()).verification.records;
      const items = Array.from({ length: 500 }, () => RECORD);
      const { results } = (await callTokenizer(state, 'order', '/v1/tokens/batch', { items })) as {
        results: { token: string }[];
      };
      tokens.push(...results.map(({ token }) => token));
      expect((await verify()).verification.records).toBe(before + 500);
    },
    DEADLINE_MS,
  );

  it(
    'finds every record about a token, given on standard input',
    async () => {
      const token = await newToken();
      await callTokenizer(state, 'paybill', '/v1/detokenize', { token });
      const { stdout } = await mesh(run, ['audit', 'find', '-', '--json'], token);
      expect((JSON.parse(stdout) as FoundRecord[]).map(({ record }) => record.operation)).toEqual([
        'tokenize',
        'detokenize',
      ]);
      expect(await mesh(run, ['audit', 'find', token])).toMatchObject({ code: 2 });
    },
    DEADLINE_MS,
  );

  it(
    'holds no card number and no whole token, in its table or outside',
    async () => {
      const found = await searchForLeaks(state.directory, dynamodb, [state.tables.audit], [CARD, ...tokens]);
      expect(found.items).toBeGreaterThan(20);
      expect(found.found).toEqual([]);
      const { Items } = await dynamodb.send(new ScanCommand({ TableName: state.tables.audit }));
      expect(JSON.stringify(Items).replaceAll(/[0-9a-f-]{36}/g, '')).not.toMatch(/\d{13}/);
    },
    DEADLINE_MS,
  );
});

describe('mesh audit verify', () => {
  const TableName = () => state.tables.audit;
  const keyOf = (writer: string, sk: string): Row => ({ pk: { S: writer }, sk: { S: sk } });
  const segmentKey = (sequence: number): string => String(sequence).padStart(12, '0');
  const put = async (table: string, Item: Row): Promise<void> => {
    await dynamodb.send(new PutItemCommand({ TableName: table, Item }));
  };
  const remove = async (table: string, Key: Row): Promise<void> => {
    await dynamodb.send(new DeleteItemCommand({ TableName: table, Key }));
  };
  const read = async (table: string, Key: Row): Promise<Row> => {
    const { Item } = await dynamodb.send(new GetItemCommand({ TableName: table, Key }));
    if (Item === undefined) throw new Error('expected a row');
    return Item;
  };

  interface Chain {
    readonly writer: string;
    readonly segments: number;
    readonly rows: readonly Row[];
    readonly row: (sequence: number) => Row;
    readonly lastSeal: Row;
  }

  async function chain(): Promise<Chain> {
    const verification = await untilSealed();
    const [report] = verification.writers.filter(({ segments }) => segments > 5);
    if (report === undefined) throw new Error('expected a writer with segments');
    const { Items = [] } = await dynamodb.send(new ScanCommand({ TableName: TableName() }));
    const rows = Items.filter((row) => row['pk']?.S === report.writer);
    const row = (sequence: number): Row => {
      const found = rows.find(({ sk }) => sk?.S === segmentKey(sequence));
      if (found === undefined) throw new Error(`expected segment ${sequence}`);
      return found;
    };
    const lastSeal = rows
      .filter(({ sk }) => sk?.S?.startsWith('seal#'))
      .toSorted(bySortKey)
      .at(-1);
    if (lastSeal === undefined) throw new Error('expected a seal');
    return { writer: report.writer, segments: report.segments, rows, row, lastSeal };
  }

  const bySortKey = (one: Row, other: Row): number =>
    (one['sk']?.S ?? '') < (other['sk']?.S ?? '') ? -1 : 1;

  const withBody = (row: Row, change: (body: string) => string): Row => {
    const body = change(row['body']?.S ?? '');
    return { ...row, body: { S: body } };
  };

  /** Whoever has the table and no key can make this much fit. */
  const withFittingHash = (row: Row): Row => {
    const hash = createHash('sha256')
      .update(row['body']?.S ?? '')
      .digest('hex');
    return { ...row, hash: { S: hash.replaceAll(/\d/g, (digit) => 'ghijklmnop'.charAt(Number(digit))) } };
  };

  const HEADS = 'audit#heads#us-east-1';

  it.each<[string, (found: Chain) => Promise<void>, (found: Chain) => (readonly [string, number?])[]]>([
    [
      'a record was changed',
      async ({ row }) =>
        await put(
          TableName(),
          withBody(row(3), (body) => body.replace('order', 'other')),
        ),
      () => [['segment-changed', 3]],
    ],
    [
      'a record was changed and its hash made to fit',
      async ({ row }) =>
        await put(TableName(), withFittingHash(withBody(row(3), (body) => body.replace('order', 'other')))),
      () => [['segment-forged', 3]],
    ],
    [
      'a middle segment was deleted',
      async ({ writer }) => await remove(TableName(), keyOf(writer, segmentKey(3))),
      () => [['segment-missing', 3]],
    ],
    [
      'two segments were swapped',
      async ({ writer, row }) => {
        await put(TableName(), { ...row(2), ...keyOf(writer, segmentKey(3)) });
        await put(TableName(), { ...row(3), ...keyOf(writer, segmentKey(2)) });
      },
      () => [
        ['segment-moved', 2],
        ['segment-moved', 3],
      ],
    ],
    [
      'the last segment was cut off',
      async ({ writer, segments }) => await remove(TableName(), keyOf(writer, segmentKey(segments))),
      ({ segments }) => [['tail-missing', segments]],
    ],
    [
      'the last segment was cut off with its seal',
      async ({ writer, segments, lastSeal }) => {
        await remove(TableName(), keyOf(writer, segmentKey(segments)));
        await remove(TableName(), keyOf(writer, lastSeal['sk']?.S ?? ''));
      },
      ({ segments, lastSeal }) => [
        ['outside-contradicts', Number(lastSeal['sk']?.S?.slice(5))],
        ['tail-missing', segments],
      ],
    ],
    [
      'the last seal was forged',
      async ({ lastSeal }) => await put(TableName(), { ...lastSeal, mac: { B: new Uint8Array(32) } }),
      ({ lastSeal }) => [
        ['seal-forged', Number(lastSeal['sk']?.S?.slice(5))],
        ['outside-contradicts', Number(lastSeal['sk']?.S?.slice(5))],
      ],
    ],
    [
      'a writer was deleted with everything it wrote',
      async ({ writer, rows }) => {
        for (const { sk } of rows) await remove(TableName(), keyOf(writer, sk?.S ?? ''));
      },
      ({ lastSeal }) => [
        ['outside-contradicts', Number(lastSeal['sk']?.S?.slice(5))],
        ['tail-missing', 1],
      ],
    ],
    [
      'what is kept outside was deleted',
      async ({ writer }) => await remove(state.tables.tokens, keyOf(HEADS, writer)),
      () => [['outside-missing']],
    ],
  ])(
    'exits with 1 and says where, when %s; and with 0 once that is restored',
    async (_what, tamper, expected) => {
      const found = await chain();
      const outside = await read(state.tables.tokens, keyOf(HEADS, found.writer));
      await tamper(found);
      const { code, verification } = await verify();
      const text = await mesh(run, ['audit', 'verify']);
      for (const row of found.rows) await put(TableName(), row);
      await put(state.tables.tokens, outside);
      expect(code).toBe(1);
      expect(verification.problems.map(({ kind, sequence, seal }) => [kind, sequence ?? seal])).toEqual(
        expected(found).map(([kind, place]) => [kind, place]),
      );
      expect(text.code).toBe(1);
      for (const [kind, place] of expected(found)) {
        const where = place === undefined ? '' : ` (segment|seal) ${place}`;
        expect(text.stdout).toMatch(new RegExp(`FAILED  ${kind}  writer ${found.writer}${where}: found `));
      }
      expect(await mesh(run, ['audit', 'verify'])).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('every chain is whole'),
      });
    },
    DEADLINE_MS,
  );

  it(
    'finds what somebody wrote where the tokenizer writes next; that refuses once, and goes on in another chain',
    async () => {
      const { writer, segments, row } = await chain();
      await put(TableName(), { ...row(segments), ...keyOf(writer, segmentKey(segments + 1)) });
      await expect(newToken()).rejects.toMatchObject({ code: 'ERR_AUDIT_UNAVAILABLE' });
      await newToken();
      const { code, verification } = await verify();
      expect(code).toBe(1);
      expect(verification.problems).toEqual([
        expect.objectContaining({ kind: 'segment-moved', writer, sequence: segments + 1 }),
      ]);
      await remove(TableName(), keyOf(writer, segmentKey(segments + 1)));
      expect((await verify()).code).toBe(0);
      expect(await tail(2)).toContainEqual(
        expect.objectContaining({ operation: 'audit', withheld: { unwritten: 1 } }),
      );
    },
    DEADLINE_MS,
  );
});
