/**
 * A fleet of tasks and a CA with a quota, run through on a clock of their own.
 *
 * The tasks are the plans of the sidecar as they are; the CA, the network and the time are made up.
 * Seeded: the same numbers give the same run.
 *
 * @module
 */

import { FairShare, spreadMs } from '../../sidecar/envoy/cert-agent/issuance/fair-share.ts';
import { firstTryAt, IssuancePlan } from '../../sidecar/envoy/cert-agent/issuance/plan.ts';
import { Agenda } from './agenda.ts';
import { plainPlan } from './plain-client.ts';

export interface FleetWish {
  readonly tasks: number;
  readonly seed: number;
  /** With the limiter of the sidecar, or as a plain client of the SDK. */
  readonly limited: boolean;
  /** Orders that the CA takes in a second. */
  readonly quotaPerSecond: number;
  /** The CA answers nothing in between. */
  readonly down: { readonly fromMs: number; readonly untilMs: number };
  readonly lifeMs: number;
  /** How long it is run through. */
  readonly untilMs: number;
}

export interface FleetRun {
  /** When IssueCertificate was called, in order, taken or not. */
  readonly orders: readonly number[];
  /** When GetCertificate was called, in order. */
  readonly collects: readonly number[];
  readonly throttled: number;
  /** When each task had its first two certificates, in order. */
  readonly readyAtMs: readonly number[];
  /** How many certificates were issued, and how many had expired before their successor was there. */
  readonly issued: number;
  readonly expired: number;
}

/** What a task's plan says and is told; the plain client's too. */
export type Plan = Pick<
  IssuancePlan,
  'next' | 'placed' | 'notSigned' | 'notCollected' | 'issued' | 'failed' | 'held'
>;

const ROLES = 2;
const ANSWER_MS = 50;
/** How long AWS Private CA takes to sign, as a guess: at least, and by chance as much again. */
const SIGNS_MS = 1_000;

/** SplitMix32: enough for jitter, and the same everywhere. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e37_79b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0_aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

export function runFleet(wish: FleetWish): FleetRun {
  const random = seededRandom(wish.seed);
  const agenda = new Agenda();
  const ca = new SimulatedCa(wish, random);
  const readyAtMs: number[] = [];
  for (let task = 0; task < wish.tasks; task += 1) {
    let missing = ROLES;
    const onFirst = (atMs: number): void => {
      missing -= 1;
      if (missing === 0) readyAtMs.push(atMs);
    };
    const share = new FairShare(wish.tasks, 0, random);
    for (let role = 0; role < ROLES; role += 1) {
      const plan = wish.limited
        ? new IssuancePlan(share, firstTryAt(0, spreadMs(wish.tasks), random), random)
        : plainPlan(random);
      follow(plan, { agenda, ca, onFirst, wish });
    }
  }
  agenda.runUntil(wish.untilMs);
  return { ...ca.counts, readyAtMs };
}

interface World {
  readonly agenda: Agenda;
  readonly ca: SimulatedCa;
  readonly onFirst: (atMs: number) => void;
  readonly wish: FleetWish;
}

/** Does what the plan says, when it says it: as the sidecar does. */
function follow(plan: Plan, { agenda, ca, onFirst, wish }: World): void {
  let orderedAtMs = 0;
  let signedAtMs = 0;
  const turn = (now: number): void => {
    const step = plan.next(now);
    if (step.do === 'wait') return agenda.at(Math.max(step.untilMs, now + 1), turn);
    if (step.do === 'place') {
      const answer = ca.order(now);
      if (answer.taken) {
        [orderedAtMs, signedAtMs] = [now, answer.signedAtMs];
        plan.placed(now);
      } else plan.failed(now);
    } else if (!ca.collect(now)) plan.notCollected(now);
    else if (now < signedAtMs) plan.notSigned(now);
    else {
      ca.issued((plan.held?.notAfterMs ?? Number.POSITIVE_INFINITY) < now);
      if (plan.held === undefined) onFirst(now);
      plan.issued({ issuedAtMs: orderedAtMs, notAfterMs: orderedAtMs + wish.lifeMs });
    }
    agenda.at(now + ANSWER_MS, turn);
  };
  agenda.at(0, turn);
}

/** A CA that takes so many orders a second and no more. */
class SimulatedCa {
  readonly #wish: FleetWish;
  readonly #random: () => number;
  #left: number;
  #filledAtMs = 0;
  readonly counts = {
    orders: [] as number[],
    collects: [] as number[],
    throttled: 0,
    issued: 0,
    expired: 0,
  };

  constructor(wish: FleetWish, random: () => number) {
    this.#wish = wish;
    this.#random = random;
    this.#left = wish.quotaPerSecond;
  }

  order(now: number): { readonly taken: boolean; readonly signedAtMs: number } {
    this.counts.orders.push(now);
    if (this.#isDown(now)) return { taken: false, signedAtMs: 0 };
    const filled = ((now - this.#filledAtMs) / 1000) * this.#wish.quotaPerSecond;
    this.#left = Math.min(this.#wish.quotaPerSecond, this.#left + filled);
    this.#filledAtMs = now;
    if (this.#left < 1) {
      this.counts.throttled += 1;
      return { taken: false, signedAtMs: 0 };
    }
    this.#left -= 1;
    return { taken: true, signedAtMs: now + SIGNS_MS * (1 + this.#random()) };
  }

  /** @returns Whether it answers. */
  collect(now: number): boolean {
    this.counts.collects.push(now);
    return !this.#isDown(now);
  }

  #isDown(now: number): boolean {
    return now >= this.#wish.down.fromMs && now < this.#wish.down.untilMs;
  }

  issued(isLate: boolean): void {
    this.counts.issued += 1;
    if (isLate) this.counts.expired += 1;
  }
}

/** The most calls in any second, wherever it begins. */
export function peakPerSecond(calls: readonly number[]): number {
  let first = 0;
  let peak = 0;
  for (const [last, atMs] of calls.entries()) {
    while ((calls[first] ?? atMs) <= atMs - 1000) first += 1;
    peak = Math.max(peak, last - first + 1);
  }
  return peak;
}
