/**
 * `POST /orders/{orderId}/payment`: turns the token of an order back into the card, and charges it.
 *
 * @module
 */

import { TokenmeshError, type RevealedFields } from 'tokenmesh/tokenizer';
import { handlerOf, invalid, type ProxyEvent } from './api-gateway.ts';
import { cardVault } from './card-vault.ts';
import { findOrder, markPaid, type StoredOrder } from './order-table.ts';

export const handler = handlerOf(200, payOrder);

const PROCESSOR_DEADLINE_MS = 5_000;

async function payOrder(event: ProxyEvent): Promise<object> {
  const orderId = event.pathParameters?.['orderId'] ?? '';
  if (!/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.test(orderId))
    throw invalid('orderId', 'a UUID in lower case');
  const order = await findOrder(orderId);
  if (order === undefined) throw unknownOrder();
  const vault = cardVault.as('pay-order', { requestId: event.requestContext.requestId });
  const card = await vault.detokenize({ token: order.token, purpose: 'payment' });
  await charge(order, card);
  await markPaid(orderId);
  return { orderId, status: 'PAID' };
}

/** The order's id is the idempotency key, so that an order that is paid twice is charged once. */
async function charge(order: StoredOrder, card: RevealedFields): Promise<void> {
  const { orderId, totalCents, currency } = order;
  const body = {
    ...{ amountCents: totalCents, currency },
    card: { number: plain(card, 'number'), expiry: plain(card, 'expiry'), holder: plain(card, 'holder') },
  };
  const answer = await fetch(processorUrl(), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': orderId },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(PROCESSOR_DEADLINE_MS),
  }).catch((cause: unknown) => {
    throw notCharged('none', cause);
  });
  if (!answer.ok) throw notCharged(String(answer.status));
}

/** A card goes nowhere in clear but to this machine. */
function processorUrl(): URL {
  const url = URL.parse(process.env['PROCESSOR_URL'] ?? '');
  if (url !== null && (url.protocol === 'https:' || url.hostname === '127.0.0.1')) return url;
  throw new TokenmeshError({
    code: 'ERR_SETTINGS_INVALID',
    message: 'PROCESSOR_URL is not valid: expected a URL that begins with https://',
    remedy: 'set the variable on the function',
  });
}

function plain(card: RevealedFields, name: string): string {
  const field = card[name];
  if (field?.form === 'plain' && field.value !== null) return field.value;
  throw new TokenmeshError({
    code: 'ERR_CARD_NOT_REVEALED',
    message: `the card was not revealed: expected field "${name}" plain, got it ${field?.form ?? 'not at all'}`,
    remedy: 'grant pay-order to detokenize this class for the purpose "payment" in card-vault.ts',
  });
}

function unknownOrder(): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_ORDER_UNKNOWN',
    message: 'no order has this id',
    remedy: 'use the orderId that POST /orders answered with',
  });
}

function notCharged(got: string, cause?: unknown): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_PROCESSOR_UNAVAILABLE',
    message: `the card was not charged: expected the processor to take it, got ${got}`,
    remedy: 'try again: an order is charged once',
    cause,
  });
}
