/**
 * Decides when a task asks for which step of a certificate's issue, without doing it.
 *
 * Time and chance are passed in, so that a fleet of a thousand can be run through in a second:
 * `npm run bench -- issuance`.
 *
 * @module
 */

/** At the latest; a fleet that started together renews over the tenth of a life before. */
const RENEW_AT_LIFE_FRACTION = 2 / 3;
const RENEW_JITTER_LIFE_FRACTION = 0.1;

/** With this much of its life left, a certificate that is not renewed is an alarm. */
export const ALARM_AT_REMAINING_FRACTION = 0.2;

const RETRY_FIRST_MS = 1_000;
const RETRY_AT_MOST_MS = 300_000;
/** A wait takes no more than this of what is left, so that there is always another try. */
const RETRY_REMAINING_FRACTION = 0.25;

const COLLECT_FIRST_MS = 500;
const COLLECT_AT_MOST_MS = 8_000;
/** An order that is not signed by then is told as a problem, and gone on waiting for. */
export const SLOW_AFTER_MS = 5_000;
/** An order that is not signed by then is placed again. */
export const ABANDON_AFTER_MS = 300_000;

export type Step =
  | { readonly do: 'wait'; readonly untilMs: number }
  | { readonly do: 'place' }
  | { readonly do: 'collect' };

/** A certificate as far as its renewal is concerned; milliseconds since the epoch. */
export interface HeldLife {
  /** When it was ordered: the CA dates its beginning an hour back, and that hour is not life. */
  readonly issuedAtMs: number;
  readonly notAfterMs: number;
}

export type Alarm = 'none' | 'overdue' | 'expired';

/** Leave to call the CA: see `FairShare`. */
export interface CallShare {
  take(now: number): boolean;
  nextAt(now: number): number;
}

/** Between 0 and 1, as Math.random. */
export type Random = () => number;

export class IssuancePlan {
  readonly #share: CallShare;
  readonly #random: Random;
  #held: (HeldLife & { readonly renewAtMs: number }) | undefined;
  #order: { readonly placedAtMs: number; collectAtMs: number; collects: number } | undefined;
  #tryAtMs: number;
  #failures = 0;
  #isFirstTry = true;

  /** @param firstAtMs - When the first order may be placed: see {@link firstTryAt}. */
  constructor(share: CallShare, firstAtMs: number, random: Random) {
    this.#share = share;
    this.#tryAtMs = firstAtMs;
    this.#random = random;
  }

  /** What to do now. A step to place has been paid for: the first by its draw, the others out of the share. */
  next(now: number): Step {
    if (this.#order !== undefined) {
      return now >= this.#order.collectAtMs
        ? { do: 'collect' }
        : { do: 'wait', untilMs: this.#order.collectAtMs };
    }
    const dueMs = Math.max(this.#held?.renewAtMs ?? 0, this.#tryAtMs);
    if (now < dueMs) return { do: 'wait', untilMs: dueMs };
    if (!this.#isFirstTry && !this.#share.take(now)) {
      return { do: 'wait', untilMs: this.#share.nextAt(now) };
    }
    this.#isFirstTry = false;
    return { do: 'place' };
  }

  /** The CA took the order. It signs a moment later. */
  placed(now: number): void {
    this.#order = { placedAtMs: now, collectAtMs: now + this.#jittered(COLLECT_FIRST_MS), collects: 0 };
  }

  /** It was not signed yet. @returns How long the order has been waiting; once abandoned, it is failed. */
  notSigned(now: number): number {
    const order = this.#order;
    if (order === undefined) return 0;
    const waitedMs = now - order.placedAtMs;
    if (waitedMs >= ABANDON_AFTER_MS) this.failed(now);
    order.collects += 1;
    order.collectAtMs = now + this.#jittered(doubled(COLLECT_FIRST_MS, order.collects, COLLECT_AT_MOST_MS));
    return waitedMs;
  }

  /** A collect did not get through: the order stands, and is asked for again. */
  notCollected(now: number): void {
    this.#failures += 1;
    if (this.notSigned(now) >= ABANDON_AFTER_MS || this.#order === undefined) return;
    this.#order.collectAtMs = Math.max(this.#order.collectAtMs, now + this.#retryDelay(now));
  }

  issued(life: HeldLife): void {
    const lifeMs = life.notAfterMs - life.issuedAtMs;
    const fraction = RENEW_AT_LIFE_FRACTION - this.#random() * RENEW_JITTER_LIFE_FRACTION;
    this.#held = { ...life, renewAtMs: Math.round(life.issuedAtMs + lifeMs * fraction) };
    this.#order = undefined;
    this.#failures = 0;
  }

  /** The order was not taken, or has come to nothing: it is placed again, later each time. */
  failed(now: number): void {
    this.#order = undefined;
    this.#failures += 1;
    this.#tryAtMs = now + this.#retryDelay(now);
  }

  alarm(now: number): Alarm {
    if (this.#held === undefined) return 'none';
    const { issuedAtMs, notAfterMs } = this.#held;
    if (now >= notAfterMs) return 'expired';
    const isOverdue = notAfterMs - now < (notAfterMs - issuedAtMs) * ALARM_AT_REMAINING_FRACTION;
    return isOverdue ? 'overdue' : 'none';
  }

  get held(): (HeldLife & { readonly renewAtMs: number }) | undefined {
    return this.#held;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Whether the CA is at work on an order. */
  get hasOrder(): boolean {
    return this.#order !== undefined;
  }

  #retryDelay(now: number): number {
    const delayMs = doubled(RETRY_FIRST_MS, this.#failures - 1, RETRY_AT_MOST_MS);
    if (this.#held === undefined) return this.#jittered(delayMs);
    const remainingMs = (this.#held.notAfterMs - now) * RETRY_REMAINING_FRACTION;
    return this.#jittered(Math.min(delayMs, Math.max(remainingMs, RETRY_FIRST_MS)));
  }

  /** Between half of it and all of it. */
  #jittered(ms: number): number {
    return Math.ceil(ms * (0.5 + this.#random() / 2));
  }
}

/** Of the window over which a fleet's first calls are spread, this task's moment. */
export function firstTryAt(startedAtMs: number, windowMs: number, random: Random): number {
  return Math.round(startedAtMs + windowMs * random());
}

function doubled(firstMs: number, times: number, atMostMs: number): number {
  return Math.min(firstMs * 2 ** Math.min(times, 30), atMostMs);
}
