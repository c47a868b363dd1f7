/** What paybill needs of the outside, in its own words. */

import type { Tokenizer } from '../../sidecar/tokenizer/client/tokenizer.ts';

/** How a payment ended: for good, since a second one of the same order answers the first. */
export interface Payment {
  readonly status: 'PAID' | 'DECLINED';
  /** The processor's own id of the charge. */
  readonly chargeId: string;
  /** Null where the processor declined. */
  readonly authorization: string | null;
  /** The card as the processor saw it, masked by it. */
  readonly maskedPan: string;
}

/** What there is to pay, and with what. */
export interface PayableOrder {
  readonly orderId: string;
  readonly token: string;
  readonly totalCents: number;
  readonly currency: string;
  /** Undefined until an attempt has settled it. */
  readonly payment: Payment | undefined;
}

/** One attempt at paying an order: it alone may charge until `expiresAt`, then another may take over. */
export interface Claim {
  readonly attemptId: string;
  readonly claimedAt: Date;
  readonly expiresAt: Date;
}

/** Every method rejects with {@link RetryLaterError} when no answer came; a write may have happened. */
export interface PaymentStore {
  /** Reads what was last written, never something older. */
  find(orderId: string): Promise<PayableOrder | undefined>;

  /**
   * Claims the payment of an order, unless it is settled or claimed by another attempt.
   *
   * Must be atomic: of two attempts at once, one is told `"claimed"`. A claim
   * whose `expiresAt` is not after the other's `claimedAt` is taken over. The
   * same attempt is told `"claimed"` again. `"taken"`, also for an order that
   * does not exist, must change nothing.
   */
  claim(orderId: string, claim: Claim): Promise<'claimed' | 'taken'>;

  /** Writes the result; `"lost"`, which changes nothing, where another attempt has taken over since. */
  settle(orderId: string, attemptId: string, payment: Payment): Promise<'settled' | 'lost'>;

  /** Gives the claim back, if it is still this attempt's and not settled. */
  release(orderId: string, attemptId: string): Promise<void>;
}

/** The part of the tokenizer that brings cards back. */
export type CardRevealer = Pick<Tokenizer, 'detokenize'>;

/** A card in clear. Lives from the tokenizer's answer to the processor's. */
export interface ClearCard {
  readonly number: string;
  readonly expiry: string;
  readonly holder: string;
}

export interface ChargeRequest {
  /** Two charges under one key are one charge. */
  readonly idempotencyKey: string;
  readonly card: ClearCard;
  readonly amountCents: number;
  readonly currency: string;
}

export interface PaymentProcessor {
  /**
   * @throws {RetryLaterError} `ERR_PROCESSOR_UNAVAILABLE` when no answer came. The charge may have
   *   happened; the same key finds it again.
   * @throws {TokenmeshError} `ERR_CHARGE_REFUSED` for a request that the processor does not take.
   */
  charge(request: ChargeRequest): Promise<Payment>;
}
