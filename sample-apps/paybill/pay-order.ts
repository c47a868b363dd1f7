import { TokenmeshError } from '../../errors/error.ts';
import type { Logger } from '../../runtime/log.ts';
import { RetryLaterError } from '../retry-later.ts';
import { TokenizerError } from '../../sidecar/tokenizer/client/tokenizer-answers.ts';
import type {
  CardRevealer,
  ClearCard,
  PayableOrder,
  Payment,
  PaymentProcessor,
  PaymentStore,
} from './ports.ts';

export interface PayOrderPorts {
  readonly payments: PaymentStore;
  readonly tokenizer: CardRevealer;
  readonly processor: PaymentProcessor;
  readonly logger: Logger;
  readonly newAttemptId: () => string;
  readonly now: () => Date;
  /** Longer than an attempt can take, so that none is taken over while it goes on. */
  readonly claimSeconds: number;
}

/**
 * Pays an order once, however often and from wherever it is asked for.
 *
 * An attempt claims the order before it asks for the card. What is done twice
 * all the same, after a crash or a lost answer, goes to the processor under the
 * same idempotency key.
 *
 * @throws {TokenmeshError} `ERR_ORDER_UNKNOWN`; `ERR_CARD_GONE` where the vault no longer has the card;
 *   `ERR_CARD_NOT_REVEALED` where it may not show it to this app.
 * @throws {RetryLaterError} `ERR_PAYMENT_IN_PROGRESS` while another attempt has the claim; or when a
 *   service behind does not answer.
 */
export async function payOrder(orderId: string, ports: PayOrderPorts): Promise<Payment> {
  const order = await findOrder(orderId, ports);
  if (order.payment !== undefined) return order.payment;
  const attemptId = ports.newAttemptId();
  const claimedAt = ports.now();
  const expiresAt = new Date(claimedAt.getTime() + ports.claimSeconds * 1000);
  const claimed = await ports.payments.claim(orderId, { attemptId, claimedAt, expiresAt });
  if (claimed === 'taken') return paymentOfOther(orderId, ports);
  const payment = await chargeOrRelease(order, attemptId, ports);
  if ((await ports.payments.settle(orderId, attemptId, payment)) === 'settled') return payment;
  return (await findOrder(orderId, ports)).payment ?? payment;
}

async function findOrder(orderId: string, ports: PayOrderPorts): Promise<PayableOrder> {
  const order = await ports.payments.find(orderId);
  if (order !== undefined) return order;
  throw new TokenmeshError({
    code: 'ERR_ORDER_UNKNOWN',
    message: 'no order has this id',
    remedy: 'use the orderId that POST /orders answered with',
  });
}

async function paymentOfOther(orderId: string, ports: PayOrderPorts): Promise<Payment> {
  const { payment } = await findOrder(orderId, ports);
  if (payment !== undefined) return payment;
  throw new RetryLaterError({
    code: 'ERR_PAYMENT_IN_PROGRESS',
    message: 'the order is being paid: expected no other attempt, found one',
    remedy: 'ask again for its result: the order is charged once',
    retryAfterSeconds: 1,
  });
}

async function chargeOrRelease(
  order: PayableOrder,
  attemptId: string,
  ports: PayOrderPorts,
): Promise<Payment> {
  try {
    return await ports.processor.charge({
      idempotencyKey: order.orderId,
      card: await revealCard(order.token, ports.tokenizer),
      amountCents: order.totalCents,
      currency: order.currency,
    });
  } catch (error) {
    await release(order.orderId, attemptId, ports);
    throw error;
  }
}

/** Best effort: a claim that stays behind runs out by itself. */
async function release(orderId: string, attemptId: string, ports: PayOrderPorts): Promise<void> {
  try {
    await ports.payments.release(orderId, attemptId);
  } catch (error) {
    const code = error instanceof TokenmeshError ? error.code : undefined;
    ports.logger.warn({ orderId, attemptId, code }, 'claim is left to run out');
  }
}

async function revealCard(token: string, tokenizer: CardRevealer): Promise<ClearCard> {
  const request = { token, fields: ['number', 'expiry', 'holder'], purpose: 'payment' };
  try {
    const fields = await tokenizer.detokenize(request);
    const plain = (name: string): string => {
      const field = fields[name];
      return field?.form === 'plain' && field.value !== null ? field.value : refuseHidden(name, field?.form);
    };
    return { number: plain('number'), expiry: plain('expiry'), holder: plain('holder') };
  } catch (error) {
    throw error instanceof TokenizerError ? paymentErrorOf(error) : error;
  }
}

function refuseHidden(name: string, form: string | undefined): never {
  throw new TokenmeshError({
    code: 'ERR_CARD_NOT_REVEALED',
    message: `the card was not revealed: expected field "${name}" plain, got it ${form ?? 'not at all'}`,
    remedy: 'grant paybill to detokenize this class for the purpose "payment" in mesh/tokenization-mesh.ts',
  });
}

function paymentErrorOf(error: TokenizerError): TokenmeshError {
  if (error.isTemporary) {
    return new RetryLaterError({
      code: 'ERR_TOKENIZER_UNAVAILABLE',
      message: error.message,
      remedy: 'try again: nothing was charged',
      retryAfterSeconds: error.retryAfterSeconds,
      cause: error,
    });
  }
  if (error.isGone) {
    return new TokenmeshError({
      code: 'ERR_CARD_GONE',
      message: `the card of the order is gone: expected the vault to have it, got ${error.code}`,
      remedy: 'place the order again, with the card',
      cause: error,
    });
  }
  return new TokenmeshError({
    code: 'ERR_CARD_NOT_REVEALED',
    message: error.message,
    remedy: error.remedy,
    cause: error,
  });
}
