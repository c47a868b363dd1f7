import { Type, type Static } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { createServer } from '../../runtime/http-server.ts';
import { addHealthRoutes } from '../app-process.ts';
import { NIL_ORDER_ID, ORDER_ID_PATTERN } from '../order-id.ts';
import { passRetryAfter } from '../retry-later.ts';
import { payOrder, type PayOrderPorts } from './pay-order.ts';

const PaymentBody = Type.Object(
  { orderId: Type.String({ pattern: ORDER_ID_PATTERN }) },
  { additionalProperties: false },
);
type PaymentBody = Static<typeof PaymentBody>;

const BODY_LIMIT_BYTES = 1_024;

const PROBLEMS: Readonly<Record<string, { status: number; title: string }>> = {
  ERR_ORDER_UNKNOWN: { status: 404, title: 'There is no such order.' },
  ERR_PAYMENT_IN_PROGRESS: { status: 409, title: 'The order is being paid.' },
  ERR_CARD_GONE: { status: 409, title: 'The card of the order is gone.' },
  ERR_CARD_NOT_REVEALED: { status: 502, title: 'The tokenizer does not show the card to this app.' },
  ERR_CHARGE_REFUSED: { status: 502, title: 'The payment processor refused the charge.' },
  ERR_TOKENIZER_UNAVAILABLE: { status: 503, title: 'The tokenizer is not available.' },
  ERR_PROCESSOR_UNAVAILABLE: { status: 503, title: 'The payment processor is not available.' },
  ERR_ORDERS_UNAVAILABLE: { status: 503, title: 'The orders are not available.' },
};

export function createPaybillServer(ports: PayOrderPorts): FastifyInstance {
  const server = createServer({
    logger: ports.logger,
    bodyLimitBytes: BODY_LIMIT_BYTES,
    problemOf: (error) => PROBLEMS[error.code],
  });
  addHealthRoutes(server, () => ports.payments.find(NIL_ORDER_ID));
  server.post<{ Body: PaymentBody }>(
    '/payments',
    { schema: { body: PaymentBody } },
    async (request, reply) => {
      const { orderId } = request.body;
      const payment = await passRetryAfter(reply, payOrder(orderId, ports));
      const { status, authorization, maskedPan } = payment;
      return { orderId, status, authorization, card: { masked: maskedPan } };
    },
  );
  return server;
}
