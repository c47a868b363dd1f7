import { Type, type Static, type StringOptions, type TUnsafe } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { TokenmeshError } from '../../errors/error.ts';
import { createServer } from '../../runtime/http-server.ts';
import { MARK_PATTERN } from '../../sidecar/tokenizer/client/marks.ts';
import { addHealthRoutes } from '../app-process.ts';
import { NIL_ORDER_ID, ORDER_ID_PATTERN } from '../order-id.ts';
import { passRetryAfter } from '../retry-later.ts';
import { placeOrder, type PlaceOrderPorts } from './place-order.ts';

const CURRENCIES = ['AUD', 'CAD', 'CHF', 'CNY', 'EUR', 'GBP', 'INR', 'JPY', 'USD'];

/** Fewer than twelve digits in all: what is stored beside the token must not be able to hold a card number. */
const SKU_PATTERN = String.raw`^(?!(?:.*\d){12})[A-Za-z0-9][A-Za-z0-9._-]{0,39}$`;

const OrderItem = Type.Object(
  {
    sku: Type.String({ pattern: SKU_PATTERN }),
    quantity: Type.Integer({ minimum: 1, maximum: 1000 }),
    unitPriceCents: Type.Integer({ minimum: 1, maximum: 100_000_000 }),
  },
  { additionalProperties: false },
);

/** As its buyer typed it, or encrypted at the edge. */
function orMark(options: StringOptions): TUnsafe<string> {
  return Type.Unsafe<string>({ anyOf: [Type.String(options), Type.String({ pattern: MARK_PATTERN })] });
}

const Card = Type.Object(
  {
    number: orMark({ maxLength: 37, pattern: String.raw`^\d(?: ?\d){11,18}$` }),
    expiry: orMark({ pattern: String.raw`^(?:0[1-9]|1[0-2])/\d{2}$` }),
    holder: orMark({ minLength: 1, maxLength: 100 }),
  },
  { additionalProperties: false },
);

const OrderBody = Type.Object(
  {
    items: Type.Array(OrderItem, { minItems: 1, maxItems: 100 }),
    currency: Type.Unsafe<string>({ type: 'string', enum: CURRENCIES }),
    card: Card,
  },
  { additionalProperties: false },
);
type OrderBody = Static<typeof OrderBody>;

const OrderParams = Type.Object({
  orderId: Type.String({ pattern: ORDER_ID_PATTERN }),
});
type OrderParams = Static<typeof OrderParams>;

const BODY_LIMIT_BYTES = 32_768;

const PROBLEMS: Readonly<Record<string, { status: number; title: string }>> = {
  ERR_CARD_REFUSED: { status: 400, title: 'The card was not taken.' },
  ERR_ORDER_UNKNOWN: { status: 404, title: 'There is no such order.' },
  ERR_TOKENIZER_REFUSED: { status: 502, title: 'The tokenizer refused this app.' },
  ERR_TOKENIZER_UNAVAILABLE: { status: 503, title: 'The tokenizer is not available.' },
  ERR_ORDERS_UNAVAILABLE: { status: 503, title: 'The orders are not available.' },
};

export function createOrderServer(ports: PlaceOrderPorts): FastifyInstance {
  const server = createServer({
    logger: ports.logger,
    bodyLimitBytes: BODY_LIMIT_BYTES,
    problemOf: (error) => PROBLEMS[error.code],
  });
  addHealthRoutes(server, () => ports.orders.find(NIL_ORDER_ID));
  server.post<{ Body: OrderBody }>('/orders', { schema: { body: OrderBody } }, async (request, reply) => {
    const order = await passRetryAfter(reply, placeOrder(request.body, ports));
    const { orderId, totalCents, currency, card } = order;
    return reply.status(201).send({ orderId, status: 'PLACED', totalCents, currency, card });
  });
  server.get<{ Params: OrderParams }>(
    '/orders/:orderId',
    { schema: { params: OrderParams } },
    async (request) => (await ports.orders.find(request.params.orderId)) ?? refuseUnknown(),
  );
  return server;
}

function refuseUnknown(): never {
  throw new TokenmeshError({
    code: 'ERR_ORDER_UNKNOWN',
    message: 'no order has this id',
    remedy: 'use the orderId that POST /orders answered with',
  });
}
