/**
 * Token kinds and formats on the whole mesh: asked for by order, turned back by paybill, over mutual TLS.
 *
 * @module
 */

import { readFileSync } from 'node:fs';
import { GetItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { searchForLeaks } from '../../local/leaks.ts';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { identityFiles } from '../../operator/identities.ts';
import { nodeState, type RunState } from '../../operator/run-state.ts';
import { testCard } from '../../sample-apps/test-cards.ts';
import { isToken } from '../../sidecar/tokenizer/core/token.ts';
import { mesh, StartedRun } from '../support/running-mesh.ts';

const START_DEADLINE_MS = 400_000;
const DEADLINE_MS = 120_000;

const PAN = testCard('visa', 16).number;
const OTHER_PAN = testCard('mastercard', 16).number;
const SSN = '078-05-1120';

type Field = readonly [fieldClass: string, value: string];
const card: Field = ['pan', PAN];
const id: Field = ['ssn', SSN];

let run: StartedRun;
let state: RunState;
const agents = new Map<string, Agent>();

beforeAll(async () => {
  run = new StartedRun();
  await run.says('stop       Ctrl-C', START_DEADLINE_MS);
  state = run.state;
  await mesh(run, ['status']);
}, START_DEADLINE_MS);

afterAll(async () => {
  await Promise.all([...agents.values()].map((agent) => agent.close()));
  await run.end();
}, DEADLINE_MS);

function agentOf(node: string): Agent {
  const files = identityFiles(state, node, 'client');
  const { identity: servername } = nodeState(state, 'tokenizer');
  const agent =
    agents.get(node) ??
    new Agent({
      connect: {
        cert: readFileSync(files.chain),
        key: readFileSync(files.key),
        ca: readFileSync(files.trust),
        servername,
      },
    });
  agents.set(node, agent);
  return agent;
}

interface Answer {
  readonly status: number;
  readonly document: Record<string, unknown>;
}

async function call(
  node: string,
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  body?: object,
): Promise<Answer> {
  const { listener } = nodeState(state, 'tokenizer');
  const answer = await request(`https://${listener.host}:${listener.port}${path}`, {
    dispatcher: agentOf(node),
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const text = await answer.body.text();
  return { status: answer.statusCode, document: JSON.parse(text) as Record<string, unknown> };
}

const record = ([fieldClass, value]: Field, more: object = {}): object => ({
  fields: { it: { class: fieldClass, value } },
  ...more,
});

async function tokenize(
  field: Field,
  more: object = {},
): Promise<Record<string, unknown> & { token: string }> {
  const { status, document } = await call('order', 'POST', '/v1/tokens', record(field, more));
  expect([status, document['code']]).toEqual([201, undefined]);
  return { ...document, token: String(document['token']) };
}

const reveal = (token: string, purpose = 'payment'): Promise<Answer> =>
  call('paybill', 'POST', '/v1/detokenize', { token, purpose });

const plain = (value: string): object => ({ fields: { it: { value, form: 'plain' } } });

describe('a token format', () => {
  const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';
  it.each<[string, Field, RegExp, string]>([
    ['default', card, /^tkn_[b-t]{40}$/, 'payment'],
    ['uuid', card, new RegExp(`^${uuid}$`), 'payment'],
    ['region', card, new RegExp(`^TKN-IAD-${uuid}$`), 'payment'],
    ['pan', card, /^0\d{11}1111$/, 'payment'],
    ['pan-random', card, /^0\d{15}$/, 'payment'],
    ['email', ['email', 'joe@example.com'], /^[b-t]{40}@tokens\.invalid$/, 'payment'],
    ['phone', ['phone', '+44 20 7946 0000'], /^\+999\d{12}$/, 'payment'],
    ['ssn', id, /^9\d\d-\d\d-\d{4}$/, 'identity-check'],
  ])(
    'goes from order to a token and from paybill back to the value: %s',
    async (format, field, grammar, purpose) => {
      const made = await tokenize(field, { format });
      expect(made.token).toMatch(grammar);
      expect(isToken(made.token)).toBeDefined();
      expect(made['format']).toBe(format === 'default' ? undefined : format);
      const path = `/v1/tokens/${encodeURIComponent(made.token)}`;
      expect((await call('paybill', 'GET', path)).document).toMatchObject({ kind: 'random', format });
      expect(await reveal(made.token, purpose)).toEqual({ status: 200, document: plain(field[1]) });
    },
    DEADLINE_MS,
  );

  it('serves a batch of mixed formats, in order, every token stored', async () => {
    const formats = ['pan', 'default', 'ssn', 'uuid', 'region'];
    const items = Array.from({ length: 100 }, (_, index) => {
      const format = formats[index % formats.length];
      return record(format === 'ssn' ? id : card, { format });
    });
    const made = await call('order', 'POST', '/v1/tokens/batch', { items });
    const tokens = (made.document['results'] as { token: string }[]).map(({ token }) => token);
    expect(tokens.map((token) => isToken(token)?.format)).toEqual(
      items.map((_, index) => formats[index % 5]),
    );
    expect(new Set(tokens).size).toBe(100);
    const back = await call('paybill', 'POST', '/v1/detokenize/batch', {
      items: tokens.map((token) => ({ token, purpose: 'payment' })),
    });
    const values = (back.document['results'] as { fields: { it: { value: string } } }[]).map(
      ({ fields }) => fields.it.value,
    );
    expect(values).toEqual(items.map((_, index) => (index % 5 === 2 ? SSN : PAN)));
  }, 120_000);

  it('of fewer than a million possibilities is refused without its opt-in, and without its grant', async () => {
    const small = record(id, { format: 'ssn-last-four' });
    expect(await call('order', 'POST', '/v1/tokens', small)).toMatchObject({
      status: 400,
      document: { code: 'ERR_SMALL_FORMAT', remedy: expect.stringContaining('allowSmallFormat') },
    });
    expect(await call('order', 'POST', '/v1/tokens', { ...small, allowSmallFormat: true })).toMatchObject({
      status: 403,
      document: { code: 'ERR_SMALL_FORMAT_DENIED', remedy: expect.stringContaining('smallFormats') },
    });
  });

  it.each([
    ['a kind that there is not', { kind: 'eternal' }, 'ERR_KIND_UNSUPPORTED'],
    ['a format for another class', { format: 'phone' }, 'ERR_FORMAT_UNFIT'],
    ['a format that does not go with the kind', { kind: 'one-time', format: 'pan' }, 'ERR_KIND_UNSUPPORTED'],
  ])('refuses %s', async (_, more, code) => {
    expect(await call('order', 'POST', '/v1/tokens', record(card, more))).toMatchObject({
      status: 400,
      document: { code },
    });
  });

  it('is not fitted by a card number, which is refused as malformed', async () => {
    expect(await reveal(PAN)).toMatchObject({ status: 400, document: { code: 'ERR_TOKEN_MALFORMED' } });
  });
});

describe('a one-time token', () => {
  it('is revealed to one of twenty who ask at a time, and answered 410 from then on', async () => {
    const { token } = await tokenize(card, { kind: 'one-time', format: 'uuid' });
    const answers = await Promise.all(Array.from({ length: 20 }, () => reveal(token)));
    expect(answers.filter(({ status }) => status === 200)).toEqual([{ status: 200, document: plain(PAN) }]);
    expect(answers.filter(({ status }) => status === 410)).toHaveLength(19);
    expect(await reveal(token)).toMatchObject({ status: 410, document: { code: 'ERR_TOKEN_CONSUMED' } });
  });

  it('leaves a tombstone without a message, which the table drops after a day', async () => {
    const { token } = await tokenize(card, { kind: 'one-time' });
    const before = Date.now();
    await reveal(token);
    const { dynamodb } = emulatorClients(state.aws.endpointUrl, state.aws.region);
    const { Item } = await dynamodb.send(
      new GetItemCommand({
        TableName: state.tables.tokens,
        Key: { pk: { S: `shop#${token}` }, sk: { S: 'record' } },
      }),
    );
    expect(Item).toMatchObject({ kind: { S: 'one-time' }, fields: { M: {} } });
    const lifeSeconds = Number(Item?.['expiresAt']?.N) - before / 1000;
    expect(lifeSeconds).toBeGreaterThan(86_399);
    expect(lifeSeconds).toBeLessThan(86_460);
  });
});

describe('a pointer', () => {
  it('leads to what order last put there, and tells its version', async () => {
    const { token, version } = await tokenize(card, { kind: 'pointer' });
    expect(version).toBe(1);
    const path = `/v1/tokens/${token}`;
    const changed = await call('order', 'PUT', path, { ...record(['pan', OTHER_PAN]), version: 1 });
    expect(changed).toEqual({ status: 200, document: { token, version: 2 } });
    expect(await reveal(token)).toEqual({ status: 200, document: plain(OTHER_PAN) });
    expect((await call('paybill', 'GET', path)).document).toMatchObject({ kind: 'pointer', version: 2 });
    expect(await call('order', 'PUT', path, { ...record(card), version: 1 })).toMatchObject({
      status: 409,
      document: { code: 'ERR_VERSION_CONFLICT', detail: 'the record has another version: expected 1, got 2' },
    });
    expect(await reveal(token)).toEqual({ status: 200, document: plain(OTHER_PAN) });
  });

  it('lets exactly one of many replace a version', async () => {
    const { token } = await tokenize(card, { kind: 'pointer' });
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        call('order', 'PUT', `/v1/tokens/${token}`, { ...record(['pan', OTHER_PAN]), version: 1 }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(9);
  });

  it('refuses an old message that was put under a newer version', async () => {
    const { token } = await tokenize(card, { kind: 'pointer' });
    const { dynamodb } = emulatorClients(state.aws.endpointUrl, state.aws.region);
    const place = {
      TableName: state.tables.tokens,
      Key: { pk: { S: `shop#${token}` }, sk: { S: 'record' } },
    };
    const { Item: old } = await dynamodb.send(new GetItemCommand(place));
    await call('order', 'PUT', `/v1/tokens/${token}`, record(['pan', OTHER_PAN]));
    const { Item: recent } = await dynamodb.send(new GetItemCommand(place));
    const forged = { ...recent, fields: old?.['fields'] ?? { NULL: true } };
    await dynamodb.send(new PutItemCommand({ TableName: place.TableName, Item: forged }));
    expect(await reveal(token)).toMatchObject({
      status: 500,
      document: { code: 'ERR_RECORD_UNOPENABLE', detail: 'the record does not open' },
    });
  });

  it('is replaced by order alone, and no other kind is', async () => {
    const { token } = await tokenize(card, { kind: 'pointer' });
    for (const node of ['paybill', 'outsider', 'gateway']) {
      const { status } = await refusedAs(node, token);
      expect(status).toBe(403);
    }
    const random = await tokenize(card);
    expect(await call('order', 'PUT', `/v1/tokens/${random.token}`, record(card))).toMatchObject({
      status: 409,
      document: { code: 'ERR_KIND_NOT_POINTER' },
    });
  });
});

/** Envoy's own refusal is no JSON document. */
async function refusedAs(node: string, token: string): Promise<{ status: number }> {
  const { listener } = nodeState(state, 'tokenizer');
  const answer = await request(`https://${listener.host}:${listener.port}/v1/tokens/${token}`, {
    dispatcher: agentOf(node),
    method: 'PUT',
    body: JSON.stringify(record(card)),
    headers: { 'content-type': 'application/json' },
  });
  await answer.body.dump();
  return { status: answer.statusCode };
}

describe('what the run wrote', () => {
  it(
    'holds no value and no token in a log, and the scanner finds no card number in what it scans of it',
    async () => {
      const { token } = await tokenize(card, { format: 'pan' });
      await call('paybill', 'GET', `/v1/tokens/${token}`);
      await reveal(token);
      const { dynamodb } = emulatorClients(state.aws.endpointUrl, state.aws.region);
      const tables = Object.values(state.tables);
      expect((await searchForLeaks(state.directory, dynamodb, tables, [PAN, OTHER_PAN, SSN])).found).toEqual(
        [],
      );
      expect((await searchForLeaks(state.directory, dynamodb, [], [token])).found).toEqual([]);
      const { Items } = await dynamodb.send(new ScanCommand({ TableName: state.tables.tokens }));
      const dump = (Items ?? []).map((item) => String(item['pk']?.S)).join('\n');
      expect(await mesh(run, ['scan', '-'], dump)).toMatchObject({ code: 0, stdout: '' });
      expect(await mesh(run, ['scan', '-'], `${dump}\n${PAN}\n`)).toMatchObject({ code: 1 });
    },
    DEADLINE_MS,
  );
});
