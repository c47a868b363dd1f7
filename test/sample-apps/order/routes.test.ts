import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { MockAgent, type MockPool } from 'undici';
import { createOrderServer } from '../../../sample-apps/order/routes.ts';
import { createTokenizerClient } from '../../../sidecar/tokenizer/client/tokenizer-client.ts';
import { TEST_CARDS, testCard } from '../../../sample-apps/test-cards.ts';
import { captureLog, type CapturedLog } from '../../fakes/captured-log.ts';
import { MemoryOrderTable } from '../../fakes/memory-order-table.ts';
import { sentBody } from '../../support/sent-request.ts';

const PAN = testCard('visa', 16).number;
const ORDER_ID = '5e0ff3f6-0b1c-4d6e-9c86-3d2a0f5d1a77';
const TOKEN = 'tkn_one';

function body(changes: object = {}, card: object = {}): Record<string, unknown> {
  return {
    items: [
      { sku: 'lamp-oil', quantity: 2, unitPriceCents: 1250 },
      { sku: 'wick', quantity: 1, unitPriceCents: 99 },
    ],
    currency: 'EUR',
    card: { number: PAN, expiry: '12/39', holder: 'Ada Example', ...card },
    ...changes,
  };
}

let agent: MockAgent;
let pool: MockPool;
let table: MemoryOrderTable;
let log: CapturedLog;
let server: FastifyInstance;

beforeEach(() => {
  agent = new MockAgent();
  agent.disableNetConnect();
  pool = agent.get('http://tokenizer');
  table = new MemoryOrderTable();
  log = captureLog();
  server = createOrderServer({
    tokenizer: createTokenizerClient({ dispatcher: agent, wait: async () => undefined }),
    orders: table.orders,
    logger: log.logger,
    newOrderId: () => ORDER_ID,
    now: () => new Date('2026-05-01T10:00:00Z'),
  });
});

afterEach(async () => {
  agent.assertNoPendingInterceptors();
  await server.close();
  await agent.close();
});

const tokens = { path: '/v1/tokens', method: 'POST' };
const deletion = { path: `/v1/tokens/${TOKEN}`, method: 'DELETE' };

function tokenizes(sent: unknown[] = []): void {
  pool.intercept(tokens).reply(201, (options) => {
    sent.push(sentBody(options));
    return { token: TOKEN, createdAt: '2026-05-01T10:00:00Z' };
  });
}

const place = (payload: object) => server.inject({ method: 'POST', url: '/orders', payload });
const read = (orderId: string) => server.inject({ method: 'GET', url: `/orders/${orderId}` });

describe('POST /orders', () => {
  it('tokenizes the card as one record and answers the order', async () => {
    const sent: unknown[] = [];
    tokenizes(sent);
    const answer = await place(body());
    expect(answer.statusCode).toBe(201);
    expect(answer.json()).toEqual({
      orderId: ORDER_ID,
      status: 'PLACED',
      totalCents: 2599,
      currency: 'EUR',
      card: { scheme: 'visa', lastFour: PAN.slice(-4) },
    });
    expect(sent).toEqual([
      {
        fields: {
          number: { class: 'pan', value: PAN },
          expiry: { class: 'expiry', value: '12/39' },
          holder: { class: 'name', value: 'Ada Example' },
        },
      },
    ]);
  });

  it('takes a number in groups and tokenizes its digits', async () => {
    const sent: unknown[] = [];
    tokenizes(sent);
    const answer = await place(body({}, { number: PAN.replaceAll(/(?<=^(?:\d{4})+)/g, ' ').trimEnd() }));
    expect(answer.statusCode).toBe(201);
    expect(sent).toMatchObject([{ fields: { number: { value: PAN } } }]);
  });

  it.each(TEST_CARDS)('leaves no trace of the number but its last four: $scheme', async ({ number }) => {
    tokenizes();
    const placed = await place(body({}, { number }));
    const shown = await read(ORDER_ID);
    expect(placed.statusCode).toBe(201);
    for (const text of [placed.body, shown.body, table.dump(), log.text()]) {
      expect(text).not.toContain(number.slice(0, 6));
      expect(text).not.toContain(number.slice(-6));
    }
    expect(table.dump()).toContain(TOKEN);
    expect(log.text()).not.toContain(TOKEN);
  });

  it.each([
    ['too few digits', {}, { number: '1'.repeat(11) }],
    ['too many digits', {}, { number: '1'.repeat(20) }],
    ['two spaces in a row', {}, { number: `${PAN.slice(0, 4)}  ${PAN.slice(4)}` }],
    ['dashes in the number', {}, { number: `${PAN.slice(0, 4)}-${PAN.slice(4)}` }],
    ['a month that there is not', {}, { expiry: '13/39' }],
    ['a holder of no letters', {}, { holder: '' }],
    ['a security code', {}, { cvv: '123' }],
    ['an unknown currency', { currency: 'XXX' }, {}],
    ['no items', { items: [] }, {}],
    ['a quantity of none', { items: [{ sku: 'a', quantity: 0, unitPriceCents: 1 }] }, {}],
    ['half a cent', { items: [{ sku: 'a', quantity: 1, unitPriceCents: 0.5 }] }, {}],
    ['a card number for a sku', { items: [{ sku: PAN, quantity: 1, unitPriceCents: 1 }] }, {}],
    [
      'a card number in groups for a sku',
      { items: [{ sku: `a.${PAN.slice(0, 8)}-${PAN.slice(8)}`, quantity: 1, unitPriceCents: 1 }] },
      {},
    ],
  ])('refuses %s, and asks nobody', async (_what, changes, card) => {
    const answer = await place(body(changes, card));
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.json()).toMatchObject({ code: 'ERR_REQUEST_INVALID' });
    expect(answer.body).not.toContain(PAN.slice(0, 6));
    expect(table.dump()).toBe('[]');
  });

  it.each([
    [400, 'ERR_VALUE_INVALID'],
    [413, 'ERR_VALUE_TOO_LARGE'],
  ])('refuses a card that the tokenizer answers with %d, without its number', async (status, code) => {
    const detail = `field "number" is ${PAN}`;
    pool.intercept(tokens).reply(status, { status, code, title: PAN, detail, remedy: 'correct it' });
    const answer = await place(body());
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({
      code: 'ERR_CARD_REFUSED',
      remedy: expect.stringContaining('number'),
    });
    expect(answer.body + log.text()).not.toContain(PAN.slice(0, 6));
    expect(table.dump()).toBe('[]');
  });

  it('passes on that the tokenizer is away, and when to come back', async () => {
    const away = { status: 503, code: 'ERR_STORE_UNAVAILABLE', remedy: 'try again' };
    pool.intercept(tokens).reply(503, away, { headers: { 'retry-after': '7' } });
    const answer = await place(body());
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['retry-after']).toBe('7');
    expect(answer.json()).toMatchObject({ code: 'ERR_TOKENIZER_UNAVAILABLE' });
    expect(table.dump()).toBe('[]');
  });

  it('says 503 and a time of its own where no answer comes', async () => {
    pool.intercept(tokens).replyWithError(new Error(`reset while sending ${PAN}`));
    const answer = await place(body());
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.body + log.text()).not.toContain(PAN.slice(0, 6));
  });

  it('says 502 where the mesh does not let it through', async () => {
    pool.intercept(tokens).reply(403, { status: 403, code: 'ERR_MESH_DENIED', remedy: 'ask for it' });
    expect((await place(body())).statusCode).toBe(502);
  });

  it('deletes the token where the order cannot be stored', async () => {
    tokenizes();
    pool.intercept(deletion).reply(204, '');
    table.break('insert');
    const answer = await place(body());
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.json()).toMatchObject({ code: 'ERR_ORDERS_UNAVAILABLE' });
  });

  it('deletes the token where the order id is taken, and keeps the first order', async () => {
    const first = 'tkn_first';
    pool.intercept(tokens).reply(201, { token: first, createdAt: '2026-05-01T10:00:00Z' });
    await place(body());
    tokenizes();
    pool.intercept(deletion).reply(204, '');
    expect((await place(body())).statusCode).toBe(503);
    expect(table.dump()).toContain(first);
  });

  it('answers the same where the token cannot be deleted, and logs the order alone', async () => {
    tokenizes();
    pool.intercept(deletion).reply(500, '');
    table.break('insert');
    expect((await place(body())).statusCode).toBe(503);
    expect(log.lines()).toContainEqual(
      expect.objectContaining({
        orderId: ORDER_ID,
        msg: 'token of an order that was not stored is left behind',
      }),
    );
    expect(log.text()).not.toContain(TOKEN);
  });

  it('refuses a body that is not JSON without quoting it', async () => {
    const headers = { 'content-type': 'application/json' };
    const answer = await server.inject({
      method: 'POST',
      url: '/orders',
      headers,
      payload: `{"card": ${PAN}`,
    });
    expect(answer.json()).toMatchObject({ status: 400, code: 'ERR_BODY_NOT_JSON' });
    expect(answer.body + log.text()).not.toContain(PAN.slice(0, 6));
  });
});

describe('GET /orders/{orderId}', () => {
  it('answers the order without its token', async () => {
    tokenizes();
    await place(body());
    const answer = await read(ORDER_ID);
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      orderId: ORDER_ID,
      status: 'PLACED',
      items: body()['items'],
      totalCents: 2599,
      currency: 'EUR',
      card: { scheme: 'visa', lastFour: PAN.slice(-4) },
      createdAt: '2026-05-01T10:00:00.000Z',
    });
  });

  it('refuses an id that no order has', async () => {
    const answer = await read('11111111-2222-4333-8444-555555555555');
    expect(answer.json()).toMatchObject({ status: 404, code: 'ERR_ORDER_UNKNOWN' });
  });

  it('refuses an id of another shape, without quoting it', async () => {
    const answer = await read(PAN);
    expect(answer.statusCode).toBe(400);
    expect(answer.body + log.text()).not.toContain(PAN.slice(0, 6));
  });
});

describe('health of the order app', () => {
  it('is alive while the table is down, and not ready', async () => {
    table.break('find');
    expect((await server.inject('/healthz')).statusCode).toBe(200);
    expect((await server.inject('/readyz')).statusCode).toBe(503);
    table.repair();
    expect((await server.inject('/readyz')).statusCode).toBe(200);
  });
});
