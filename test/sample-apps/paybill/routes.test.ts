import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { MockAgent, type MockPool } from 'undici';
import { createProcessorClient } from '../../../sample-apps/paybill/adapters/processor-client.ts';
import { createPaybillServer } from '../../../sample-apps/paybill/routes.ts';
import { createTokenizerClient } from '../../../sidecar/tokenizer/client/tokenizer-client.ts';
import { maskPan } from '../../../sample-apps/card-facts.ts';
import { testCard } from '../../../sample-apps/test-cards.ts';
import { newOrder } from '../../contracts/order-store.contract.ts';
import { captureLog, type CapturedLog } from '../../fakes/captured-log.ts';
import { MemoryOrderTable } from '../../fakes/memory-order-table.ts';
import { sentBody, sentHeader } from '../../support/sent-request.ts';

const PAN = testCard('unionpay', 19).number;
const ORDER = newOrder();
const T0 = Date.parse('2026-05-01T10:00:00Z');

let agent: MockAgent;
let tokenizer: MockPool;
let processor: MockPool;
let table: MemoryOrderTable;
let log: CapturedLog;
let nowMs: number;
let server: FastifyInstance;

beforeEach(async () => {
  agent = new MockAgent();
  agent.disableNetConnect();
  tokenizer = agent.get('http://tokenizer');
  processor = agent.get('http://processor');
  table = new MemoryOrderTable();
  await table.orders.insert(ORDER);
  log = captureLog();
  nowMs = T0;
  let attempts = 0;
  server = createPaybillServer({
    payments: table.payments,
    tokenizer: createTokenizerClient({ dispatcher: agent, wait: async () => undefined }),
    processor: createProcessorClient(agent),
    logger: log.logger,
    newAttemptId: () => `attempt-${++attempts}`,
    now: () => new Date(nowMs),
    claimSeconds: 30,
  });
});

afterEach(async () => {
  agent.assertNoPendingInterceptors();
  await server.close();
  await agent.close();
});

const detokenize = { path: '/v1/detokenize', method: 'POST' };
const charges = { path: '/charges', method: 'POST' };

const CARD = { number: PAN, expiry: '12/39', holder: 'Ada Example' };
const MASKED = maskPan(PAN);
const APPROVED = { id: 'ch_1', status: 'approved', authorization: 'A1B2C3', card: { masked: MASKED } };

function reveals(form = 'plain'): void {
  const fields = Object.fromEntries(Object.entries(CARD).map(([name, value]) => [name, { value, form }]));
  tokenizer.intercept(detokenize).reply(200, { fields });
}

interface Sent {
  readonly body: unknown;
  readonly key: string | null;
}

function answersCharge(status: number, answer: object, sent: Sent[] = []): void {
  processor.intercept(charges).reply(status, (options) => {
    sent.push({ body: sentBody(options), key: sentHeader(options, 'idempotency-key') });
    return answer;
  });
}

const pay = (orderId: string = ORDER.orderId) =>
  server.inject({ method: 'POST', url: '/payments', payload: { orderId } });
const statusOfOrder = async () => (await table.orders.find(ORDER.orderId))?.status;

describe('POST /payments', () => {
  it('charges the card of the order and answers the result', async () => {
    const sent: Sent[] = [];
    reveals();
    answersCharge(201, APPROVED, sent);
    const answer = await pay();
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      orderId: ORDER.orderId,
      status: 'PAID',
      authorization: 'A1B2C3',
      card: { masked: MASKED },
    });
    expect(sent).toEqual([
      { body: { card: CARD, amountCents: ORDER.totalCents, currency: ORDER.currency }, key: ORDER.orderId },
    ]);
    expect(await statusOfOrder()).toBe('PAID');
  });

  it('asks the tokenizer for three fields, for a payment', async () => {
    const fields = ['number', 'expiry', 'holder'];
    const body = JSON.stringify({ token: ORDER.token, fields, purpose: 'payment' });
    tokenizer
      .intercept({ ...detokenize, body })
      .reply(410, { status: 410, code: 'ERR_TOKEN_EXPIRED', remedy: 'x' });
    expect((await pay()).json()).toMatchObject({ status: 409, code: 'ERR_CARD_GONE' });
  });

  it('leaves no trace of the card', async () => {
    reveals();
    answersCharge(201, APPROVED);
    const answer = await pay();
    for (const text of [answer.body, table.dump(), log.text()]) {
      expect(text).not.toContain(PAN.slice(0, 6));
      expect(text).not.toContain(PAN.slice(-6));
      expect(text).not.toContain(CARD.holder);
    }
    expect(log.text()).not.toContain(ORDER.token);
  });

  it('keeps a decline, which has no authorization', async () => {
    reveals();
    answersCharge(201, { ...APPROVED, status: 'declined', authorization: null });
    expect((await pay()).json()).toMatchObject({ status: 'DECLINED', authorization: null });
    expect(await statusOfOrder()).toBe('DECLINED');
  });

  it('answers the first result to a second payment, and charges once', async () => {
    reveals();
    answersCharge(201, APPROVED);
    const first = await pay();
    const second = await pay();
    expect(second.statusCode).toBe(200);
    expect(second.json()).toEqual(first.json());
  });

  it('charges once for two payments at once', async () => {
    reveals();
    processor.intercept(charges).reply(201, APPROVED).delay(100);
    const answers = await Promise.all([pay(), pay()]);
    expect(new Set(answers.map((answer) => answer.statusCode))).toEqual(new Set([200, 409]));
    const refused = answers.find((answer) => answer.statusCode === 409);
    expect(refused?.json()).toMatchObject({ code: 'ERR_PAYMENT_IN_PROGRESS' });
    expect(refused?.headers['retry-after']).toBe('1');
  });

  it('takes over from an attempt that never came back, once its claim is over', async () => {
    const expiresAt = new Date(T0 + 30_000);
    await table.payments.claim(ORDER.orderId, { attemptId: 'crashed', claimedAt: new Date(T0), expiresAt });
    nowMs = T0 + 29_999;
    expect((await pay()).statusCode).toBe(409);
    nowMs = T0 + 30_000;
    reveals();
    answersCharge(200, APPROVED);
    expect((await pay()).json()).toMatchObject({ status: 'PAID' });
  });

  it('answers the result of the attempt that took over from it', async () => {
    reveals();
    const other = { status: 'PAID', chargeId: 'ch_1', authorization: 'FFFFFF', maskedPan: MASKED } as const;
    processor.intercept(charges).reply(201, () => {
      const claimedAt = new Date(T0 + 60_000);
      const claim = { attemptId: 'other', claimedAt, expiresAt: new Date(T0 + 90_000) };
      void table.payments.claim(ORDER.orderId, claim);
      void table.payments.settle(ORDER.orderId, 'other', other);
      return APPROVED;
    });
    expect((await pay()).json()).toMatchObject({ status: 'PAID', authorization: 'FFFFFF' });
  });

  it('refuses an order that there is not', async () => {
    const answer = await pay('11111111-2222-4333-8444-555555555555');
    expect(answer.json()).toMatchObject({ status: 404, code: 'ERR_ORDER_UNKNOWN' });
  });

  it.each([{}, { orderId: 'x' }, { orderId: ORDER.orderId, amountCents: 1 }])(
    'refuses the body %j',
    async (payload) => {
      const answer = await server.inject({ method: 'POST', url: '/payments', payload });
      expect(answer.json()).toMatchObject({ status: 400, code: 'ERR_REQUEST_INVALID' });
    },
  );
});

describe('POST /payments, when something behind fails', () => {
  it.each([
    [404, 'ERR_TOKEN_UNKNOWN', 409, 'ERR_CARD_GONE'],
    [404, 'ERR_ROUTE_UNKNOWN', 502, 'ERR_CARD_NOT_REVEALED'],
    [403, 'ERR_CLASS_DENIED', 502, 'ERR_CARD_NOT_REVEALED'],
    [503, 'ERR_STORE_UNAVAILABLE', 503, 'ERR_TOKENIZER_UNAVAILABLE'],
  ])('gives the claim back after %d %s of the tokenizer', async (status, code, answered, answeredCode) => {
    tokenizer.intercept(detokenize).reply(status, { status, code, remedy: 'x' });
    expect((await pay()).json()).toMatchObject({ status: answered, code: answeredCode });
    expect(await statusOfOrder()).toBe('PLACED');
  });

  it('refuses to charge a card that is shown masked', async () => {
    reveals('masked');
    expect((await pay()).json()).toMatchObject({ status: 502, code: 'ERR_CARD_NOT_REVEALED' });
    expect(await statusOfOrder()).toBe('PLACED');
  });

  it('passes on that the processor is away, and can be asked again', async () => {
    reveals();
    processor.intercept(charges).reply(503, '', { headers: { 'retry-after': '9' } });
    const answer = await pay();
    expect(answer.headers['retry-after']).toBe('9');
    expect(answer.json()).toMatchObject({ status: 503, code: 'ERR_PROCESSOR_UNAVAILABLE' });
    reveals();
    answersCharge(201, APPROVED);
    expect((await pay()).json()).toMatchObject({ status: 'PAID' });
  });

  it('says 502 for a charge that the processor does not take', async () => {
    reveals();
    answersCharge(409, { code: 'ERR_IDEMPOTENCY_KEY_REUSED' });
    expect((await pay()).json()).toMatchObject({ status: 502, code: 'ERR_CHARGE_REFUSED' });
  });

  it.each([PAN, `${PAN.slice(0, 6)}*********${PAN.slice(-4)}`])(
    'refuses to store a card that the processor shows too much of',
    async (masked) => {
      reveals();
      answersCharge(201, { ...APPROVED, card: { masked } });
      const answer = await pay();
      expect(answer.statusCode).toBe(503);
      expect(answer.body + table.dump() + log.text()).not.toContain(PAN.slice(0, 6));
    },
  );

  it('keeps the claim when the result cannot be stored, and finds the charge again after it', async () => {
    reveals();
    answersCharge(201, APPROVED);
    table.break('settle');
    expect((await pay()).json()).toMatchObject({ status: 503, code: 'ERR_ORDERS_UNAVAILABLE' });
    table.repair();
    expect((await pay()).statusCode).toBe(409);
    nowMs += 30_000;
    const sent: Sent[] = [];
    reveals();
    answersCharge(200, APPROVED, sent);
    expect((await pay()).json()).toMatchObject({ status: 'PAID', authorization: 'A1B2C3' });
    expect(sent[0]?.key).toBe(ORDER.orderId);
  });

  it('answers what failed first where the claim cannot be given back', async () => {
    reveals();
    processor.intercept(charges).replyWithError(new Error(`reset while sending ${PAN}`));
    table.break('release');
    const answer = await pay();
    expect(answer.json()).toMatchObject({ code: 'ERR_PROCESSOR_UNAVAILABLE' });
    expect(log.lines()).toContainEqual(expect.objectContaining({ msg: 'claim is left to run out' }));
    expect(answer.body + log.text()).not.toContain(PAN.slice(0, 6));
  });

  it('is alive while the table is down, and not ready', async () => {
    table.break('find');
    expect((await server.inject('/healthz')).statusCode).toBe(200);
    expect((await server.inject('/readyz')).statusCode).toBe(503);
  });
});
