import { createHmac, type KeyObject } from 'node:crypto';
import { maskPan, schemeOf } from '../../sample-apps/card-facts.ts';

export interface ChargeRequest {
  readonly card: { readonly number: string; readonly expiry: string; readonly holder: string };
  readonly amountCents: number;
  readonly currency: string;
}

/** A charge as it is kept and shown: of the card, only what may be shown. */
export interface Charge {
  readonly id: string;
  readonly status: 'approved' | 'declined';
  readonly authorization: string | null;
  readonly card: { readonly scheme: string; readonly masked: string };
  readonly amountCents: number;
  readonly currency: string;
  readonly createdAt: string;
}

export interface ChargeOutcome {
  readonly outcome: 'made' | 'replayed';
  readonly charge: Charge;
}

export interface ChargesOptions {
  /** For the fingerprints that tell a repeated request from another one under its key. */
  readonly fingerprintKey: KeyObject;
  readonly newId: () => string;
  readonly newAuthorization: () => string;
  /** The oldest are forgotten beyond this: the process is a stand-in, not a ledger. @default 20000 */
  readonly keptCharges?: number;
}

/** Amounts that end in these two digits are declined, so that a test can have a decline when it wants one. */
const DECLINED_CENTS = 13;

/**
 * The charges of the stand-in processor, in memory.
 *
 * The card number is masked before anything is kept. What stays of a request
 * is an HMAC of it, under a key that lives as long as the process.
 */
export class Charges {
  readonly #options: ChargesOptions;
  readonly #byKey = new Map<string, { fingerprint: string; charge: Charge }>();

  constructor(options: ChargesOptions) {
    this.#options = options;
  }

  /** Newest last. */
  list(): Charge[] {
    return [...this.#byKey.values()].map(({ charge }) => charge);
  }

  /** One charge for each key: `"conflict"` where the key came with another request before. */
  make(idempotencyKey: string, request: ChargeRequest, now: Date): ChargeOutcome | 'conflict' {
    const fingerprint = this.#fingerprintOf(request);
    const earlier = this.#byKey.get(idempotencyKey);
    if (earlier !== undefined) {
      return earlier.fingerprint === fingerprint
        ? { outcome: 'replayed', charge: earlier.charge }
        : 'conflict';
    }
    const charge = this.#charge(request, now);
    this.#byKey.set(idempotencyKey, { fingerprint, charge });
    this.#forgetOldest();
    return { outcome: 'made', charge };
  }

  #charge(request: ChargeRequest, now: Date): Charge {
    const { card, amountCents, currency } = request;
    const approved = !isExpired(card.expiry, now) && amountCents % 100 !== DECLINED_CENTS;
    return {
      id: this.#options.newId(),
      status: approved ? 'approved' : 'declined',
      authorization: approved ? this.#options.newAuthorization() : null,
      card: { scheme: schemeOf(card.number), masked: maskPan(card.number) },
      amountCents,
      currency,
      createdAt: now.toISOString(),
    };
  }

  #fingerprintOf({ card, amountCents, currency }: ChargeRequest): string {
    const parts = JSON.stringify([card.number, card.expiry, card.holder, amountCents, currency]);
    return createHmac('sha256', this.#options.fingerprintKey).update(parts).digest('base64');
  }

  #forgetOldest(): void {
    const oldest = this.#byKey.keys().next();
    const kept = this.#options.keptCharges ?? 20_000;
    if (this.#byKey.size > kept && oldest.done === false) this.#byKey.delete(oldest.value);
  }
}

/** A card is good to the end of the month that it shows, in UTC. */
export function isExpired(expiry: string, now: Date): boolean {
  const [month, year] = expiry.split('/').map(Number);
  if (month === undefined || year === undefined) return true;
  return now.getTime() >= Date.UTC(2000 + year, month, 1);
}
