/**
 * Callers from outside: orders placed and paid through the gateway, as a shop's front end would.
 *
 * @module
 */

import { Agent, request, type Dispatcher } from 'undici';
import { TokenmeshError } from '../errors/error.ts';
import { TEST_CARDS, type TestCard } from '../sample-apps/test-cards.ts';

export interface Shop {
  readonly gatewayUrl: string;
  readonly dispatcher: Dispatcher;
  /** An access token for the gateway. */
  readonly token: string;
}

/** @param trust - The root that the gateway's certificate leads to, PEM. */
export function openShop(gatewayUrl: string, trust: string, token: string): Shop {
  return { gatewayUrl, token, dispatcher: new Agent({ connect: { ca: trust }, headersTimeout: 20_000 }) };
}

export interface PaidOrder {
  readonly orderId: string;
  readonly card: TestCard;
  /** What the processor says of the card it got. */
  readonly masked: string;
}

/** An order of one tea pot, as the gateway takes it. */
export function teaPotFor(card: {
  readonly number: string;
  readonly expiry?: string;
  readonly holder?: string;
}): object {
  return {
    items: [{ sku: 'tea-pot', quantity: 1, unitPriceCents: 2_599 }],
    currency: 'EUR',
    card: { expiry: '12/30', holder: 'A Tester', ...card },
  };
}

/** Places one order and pays it. @throws {TokenmeshError} `ERR_ORDER_FAILED` with the status, never the card. */
export async function orderAndPay(shop: Shop, card: TestCard, at: Date = new Date()): Promise<PaidOrder> {
  const expiry = `12/${(at.getUTCFullYear() + 3) % 100}`;
  const order = await post(shop, '/orders', 201, teaPotFor({ number: card.number, expiry }));
  const orderId = String(order['orderId']);
  const payment = await post(shop, '/payments', 200, { orderId });
  const { masked } = (payment['card'] ?? {}) as { masked?: string };
  if (payment['status'] !== 'PAID' || masked?.slice(-4) !== card.number.slice(-4)) {
    throw orderFailed(
      '/payments',
      `status ${String(payment['status'])}, and a card that is not the one ordered with`,
    );
  }
  return { orderId, card, masked };
}

/** The first `count` test cards, from the start again where there are more orders than cards. */
export function cardsFor(count: number): TestCard[] {
  return Array.from({ length: count }, (_, index) => TEST_CARDS[index % TEST_CARDS.length]).filter(
    (card) => card !== undefined,
  );
}

export interface Load {
  readonly orders: number;
  readonly failures: readonly string[];
}

/** Orders and pays, `workers` at a time, until `work` has ended. */
export async function loadDuring<Result>(
  shop: Shop,
  workers: number,
  work: () => Promise<Result>,
): Promise<{ result: Result; load: Load }> {
  let orders = 0;
  const failures: string[] = [];
  const working = work();
  const ended = new AbortController();
  void working.catch(() => {}).finally(() => ended.abort());
  const cards = cardsFor(TEST_CARDS.length);
  const worker = async (first: number): Promise<void> => {
    for (let turn = first; !ended.signal.aborted; turn += workers) {
      const card = cards[turn % cards.length];
      if (card === undefined) return;
      try {
        await orderAndPay(shop, card);
        orders += 1;
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }
  };
  await Promise.all(Array.from({ length: workers }, (_, index) => worker(index)));
  return { result: await working, load: { orders, failures } };
}

/** @throws {TokenmeshError} `ERR_ORDER_FAILED` where the gateway answers with another status. */
export async function post(
  shop: Shop,
  path: string,
  expected: number,
  body: unknown,
): Promise<Record<string, unknown>> {
  const answer = await request(`${shop.gatewayUrl}${path}`, {
    dispatcher: shop.dispatcher,
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${shop.token}` },
    body: JSON.stringify(body),
  });
  const document = (await answer.body.json()) as Record<string, unknown>;
  if (answer.statusCode === expected) return document;
  throw orderFailed(path, `${answer.statusCode} ${String(document['code'])}`);
}

function orderFailed(path: string, got: string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_ORDER_FAILED',
    message: `POST ${path} through the gateway failed: expected success, got ${got}`,
    remedy: 'see the logs of the apps in the folder of the run',
  });
}
