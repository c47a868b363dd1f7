import { TokenmeshError } from '../../errors/error.ts';
import type { Logger } from '../../runtime/log.ts';
import { lastFourOf, schemeOf } from '../card-facts.ts';
import { RetryLaterError } from '../retry-later.ts';
import { TokenizerError } from '../../sidecar/tokenizer/client/tokenizer-answers.ts';
import { isMark } from '../../sidecar/tokenizer/client/marks.ts';
import type { CardTokenizer, NewOrder, OrderItem, OrderStore, ShownCard } from './ports.ts';

/** The card of an order, as its buyer typed it, or each of it encrypted at the edge. Lives as long as the request. */
export interface CardEntry {
  /** Digits, in groups with a space between them or not. */
  readonly number: string;
  /** `MM/YY`. */
  readonly expiry: string;
  readonly holder: string;
}

export interface OrderRequest {
  readonly items: readonly OrderItem[];
  readonly currency: string;
  readonly card: CardEntry;
}

export interface PlaceOrderPorts {
  readonly tokenizer: CardTokenizer;
  readonly orders: OrderStore;
  readonly logger: Logger;
  readonly newOrderId: () => string;
  readonly now: () => Date;
}

/**
 * Puts the card into the vault and stores the order with the token alone.
 *
 * There is no order without a token. Where the order cannot be stored, its
 * token is deleted, as far as that is possible; a write whose answer got lost
 * may leave an order behind whose id nobody was told.
 *
 * @throws {TokenmeshError} `ERR_CARD_REFUSED` for a card that the tokenizer does not take.
 * @throws {RetryLaterError} when the tokenizer or the table does not answer.
 */
export async function placeOrder(request: OrderRequest, ports: PlaceOrderPorts): Promise<NewOrder> {
  const pan = request.card.number.replaceAll(' ', '');
  const token = await tokenize(pan, request.card, ports.tokenizer);
  const order: NewOrder = {
    orderId: ports.newOrderId(),
    token,
    items: request.items,
    totalCents: totalCentsOf(request.items),
    currency: request.currency,
    card: isMark(pan) ? SEALED_CARD : { scheme: schemeOf(pan), lastFour: lastFourOf(pan) },
    createdAt: ports.now().toISOString(),
  };
  await store(order, ports);
  return order;
}

/** What is known here of a card that was encrypted at the edge. */
const SEALED_CARD: ShownCard = { scheme: 'unknown', lastFour: '****' };

export function totalCentsOf(items: readonly OrderItem[]): number {
  return items.reduce((totalCents, item) => totalCents + item.quantity * item.unitPriceCents, 0);
}

async function tokenize(pan: string, card: CardEntry, tokenizer: CardTokenizer): Promise<string> {
  try {
    const fields = {
      number: { class: 'pan', value: pan },
      expiry: { class: 'expiry', value: card.expiry },
      holder: { class: 'name', value: card.holder },
    };
    return (await tokenizer.tokenize({ fields })).token;
  } catch (error) {
    throw error instanceof TokenizerError ? orderErrorOf(error) : error;
  }
}

async function store(order: NewOrder, ports: PlaceOrderPorts): Promise<void> {
  try {
    if ((await ports.orders.insert(order)) === 'stored') return;
  } catch (error) {
    await forget(order, ports);
    throw error;
  }
  await forget(order, ports);
  throw new RetryLaterError({
    code: 'ERR_ORDERS_UNAVAILABLE',
    message: 'the order was not stored: expected a free order id, got one that is taken',
    remedy: 'try again: the next order gets another id',
  });
}

async function forget(order: NewOrder, ports: PlaceOrderPorts): Promise<void> {
  try {
    await ports.tokenizer.delete({ token: order.token });
  } catch (error) {
    const code = error instanceof TokenmeshError ? error.code : undefined;
    ports.logger.warn(
      { orderId: order.orderId, code },
      'token of an order that was not stored is left behind',
    );
  }
}

function orderErrorOf(error: TokenizerError): TokenmeshError {
  if (error.isTemporary) {
    return new RetryLaterError({
      code: 'ERR_TOKENIZER_UNAVAILABLE',
      message: error.message,
      remedy: 'try again: nothing was ordered',
      retryAfterSeconds: error.retryAfterSeconds,
      cause: error,
    });
  }
  if (error.isAboutInput) {
    return new TokenmeshError({
      code: 'ERR_CARD_REFUSED',
      message: `the card was not taken: expected a valid card, got ${error.code} from the tokenizer`,
      remedy: 'check the number, the expiry and the holder, then place the order again',
      cause: error,
    });
  }
  return new TokenmeshError({
    code: 'ERR_TOKENIZER_REFUSED',
    message: error.message,
    remedy: error.remedy,
    cause: error,
  });
}
