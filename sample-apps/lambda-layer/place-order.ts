/**
 * `POST /orders`: takes an order with a card, and stores it with a token in the card's place.
 *
 * @module
 */

import { randomUUID } from 'node:crypto';
import { bodyOf, handlerOf, invalid, type ProxyEvent } from './api-gateway.ts';
import { cardVault } from './card-vault.ts';
import { storeOrder } from './order-table.ts';

export const handler = handlerOf(201, placeOrder);

interface Card {
  /** Digits alone. */
  readonly number: string;
  readonly expiry: string;
  readonly holder: string;
}

async function placeOrder(event: ProxyEvent): Promise<object> {
  const { card, totalCents, currency } = orderIn(event);
  const vault = cardVault.as('place-order', { requestId: event.requestContext.requestId });
  const { token } = await vault.tokenize({
    format: 'uuid',
    fields: {
      number: { class: 'pan', value: card.number },
      expiry: { class: 'expiry', value: card.expiry },
      holder: { class: 'name', value: card.holder },
    },
  });
  const order = { orderId: randomUUID(), token, lastFour: card.number.slice(-4), totalCents, currency };
  try {
    await storeOrder(order, new Date());
  } catch (error) {
    // Nobody will ever ask for this card again.
    await vault.delete({ token }).catch(() => undefined);
    throw error;
  }
  const { orderId, lastFour } = order;
  return { orderId, totalCents, currency, card: { lastFour } };
}

/** @throws {TokenmeshError} `ERR_REQUEST_INVALID`. What the card's values must look like is for the vault to say. */
function orderIn(event: ProxyEvent): { card: Card; totalCents: number; currency: string } {
  const { card, totalCents, currency } = bodyOf(event);
  if (!Number.isSafeInteger(totalCents) || (totalCents as number) < 1) {
    throw invalid('totalCents', 'a whole number above 0');
  }
  if (typeof currency !== 'string' || !/^[A-Z]{3}$/.test(currency))
    throw invalid('currency', 'three capitals');
  const { number, expiry, holder } = (card ?? {}) as Partial<Record<keyof Card, unknown>>;
  if (typeof number !== 'string' || typeof expiry !== 'string' || typeof holder !== 'string') {
    throw invalid('card', 'number, expiry and holder as texts');
  }
  return {
    card: { number: number.replaceAll(' ', ''), expiry, holder },
    totalCents: totalCents as number,
    currency,
  };
}
