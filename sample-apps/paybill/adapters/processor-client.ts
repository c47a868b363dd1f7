import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type { Dispatcher } from 'undici';
import { TokenmeshError } from '../../../errors/error.ts';
import { callJson, type JsonAnswer } from '../../../runtime/json-call.ts';
import { RetryLaterError } from '../../retry-later.ts';
import type { ChargeRequest, Payment, PaymentProcessor } from '../ports.ts';

/** The masked number is stored and shown, so anything that shows more than four digits is not taken. */
const ChargeAnswer = Type.Object({
  id: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }),
  status: Type.Union([Type.Literal('approved'), Type.Literal('declined')]),
  authorization: Type.Union([Type.String({ pattern: '^[A-Za-z0-9]{1,11}$' }), Type.Null()]),
  card: Type.Object({ masked: Type.String({ pattern: String.raw`^\*{8,15}\d{4}$` }) }),
});
type ChargeAnswer = Static<typeof ChargeAnswer>;

const DEADLINE_MS = 6_000;

/** The payment processor is outside the mesh: paybill's Envoy makes the request one-way TLS. */
export function createProcessorClient(dispatcher: Dispatcher): PaymentProcessor {
  return { charge: async (request) => paymentOf(await send(dispatcher, request)) };
}

async function send(dispatcher: Dispatcher, request: ChargeRequest): Promise<JsonAnswer> {
  const { idempotencyKey, ...body } = request;
  try {
    return await callJson(dispatcher, {
      method: 'POST',
      url: 'http://processor/charges',
      headers: { 'idempotency-key': idempotencyKey },
      body,
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
  } catch (cause) {
    throw unavailable('no answer', undefined, cause);
  }
}

function paymentOf(answer: JsonAnswer): Payment {
  if (answer.status === 429 || answer.status >= 500) {
    throw unavailable(`status ${answer.status}`, answer.retryAfterSeconds);
  }
  if (answer.status !== 201 && answer.status !== 200) {
    throw new TokenmeshError({
      code: 'ERR_CHARGE_REFUSED',
      message: `the payment processor refused the charge: expected status 201, got ${answer.status}`,
      remedy: 'see the log of the processor for the reason; the order is not paid',
    });
  }
  if (!Value.Check(ChargeAnswer, answer.body)) {
    throw unavailable('an answer of another form, or one that shows more of the card than its last four');
  }
  return {
    status: answer.body.status === 'approved' ? 'PAID' : 'DECLINED',
    chargeId: answer.body.id,
    authorization: answer.body.authorization,
    maskedPan: answer.body.card.masked,
  };
}

function unavailable(got: string, retryAfterSeconds?: number, cause?: unknown): RetryLaterError {
  return new RetryLaterError({
    code: 'ERR_PROCESSOR_UNAVAILABLE',
    message: `the payment processor did not answer as it should: expected a charge, got ${got}`,
    remedy: 'try again: the order is charged once at most',
    retryAfterSeconds,
    cause,
  });
}
