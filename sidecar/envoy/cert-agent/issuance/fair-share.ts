/**
 * Keeps a fleet of tasks under the CA's quota of calls, though no task knows of another.
 *
 * Each task holds a token bucket that fills at its share of the budget, and draws its first calls at
 * random from a window that is long enough for the whole fleet.
 *
 * @module
 */

import { CERTIFICATE_ROLES } from '../../../../mesh/identity.ts';
import type { CallShare, Random } from './plan.ts';

/** What a task asks for at its start: a certificate for each role. */
const FIRST_CALLS = CERTIFICATE_ROLES.length;

/**
 * Calls of IssueCertificate that a fleet makes in a second, on average.
 *
 * AWS takes 25 a second of an account in a region. Tasks that draw their moments at random make more in
 * some seconds than in others: at 8 on average, more than 25 in one second is a chance of 1 in 2,800,000
 * (Poisson), and there are some hundred seconds in a cold start.
 */
export const FLEET_CALLS_PER_SECOND = 8;

/** Unused share that a task may save up: both its certificates at once, and both once again. */
const TOKENS_AT_MOST = 2 * FIRST_CALLS;

/** How long the first calls of a fleet are spread over. */
export function spreadMs(fleetTasks: number): number {
  return ((fleetTasks * FIRST_CALLS) / FLEET_CALLS_PER_SECOND) * 1000;
}

export class FairShare implements CallShare {
  readonly #tokensPerMs: number;
  #tokens = 0;
  #filledAt: number;

  /**
   * The share of the time before the window's end is what the first calls use up: they need no leave.
   * Then it fills, for each task from a moment of its own, since tasks that started together would get
   * their next leave together too.
   */
  constructor(fleetTasks: number, startedAt: number, random: Random) {
    this.#tokensPerMs = FLEET_CALLS_PER_SECOND / fleetTasks / 1000;
    this.#filledAt = startedAt + spreadMs(fleetTasks) + random() / this.#tokensPerMs;
  }

  /** Takes leave for one call. @returns Whether there was any. */
  take(now: number): boolean {
    this.#fill(now);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** When there will be leave for a call, if nobody takes any before. */
  nextAt(now: number): number {
    this.#fill(now);
    if (this.#tokens >= 1) return now;
    return Math.ceil(Math.max(now, this.#filledAt) + (1 - this.#tokens) / this.#tokensPerMs);
  }

  #fill(now: number): void {
    if (now <= this.#filledAt) return;
    this.#tokens = Math.min(TOKENS_AT_MOST, this.#tokens + (now - this.#filledAt) * this.#tokensPerMs);
    this.#filledAt = now;
  }
}
