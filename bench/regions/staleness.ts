/**
 * How often a token is asked for in a region where it has not arrived, and how many have not arrived when the region
 * that made them is lost: a model, with nothing measured in it.
 *
 * @module
 */

export interface StalenessPlan {
  readonly ordersPerMonth: number;
  /** How long a row takes to the other region, in the middle case. */
  readonly lagSeconds: number;
  /** How many orders are played. */
  readonly orders: number;
  /** Evenly between 0 and 1. */
  readonly random: () => number;
}

export interface Staleness {
  /** Of those tokens that are read in the other region. */
  readonly tooEarlyShare: number;
  readonly tooEarlyPerDay: number;
  /** How far behind the other region is seen to be, by the heartbeat, on the average. */
  readonly seenLagSeconds: number;
  /** Tokens that have not arrived at a moment that nobody chose: on the average, and in one of a hundred moments. */
  readonly onTheirWay: number;
  readonly onTheirWayAtWorst: number;
}

/** One in a hundred orders is paid through the other region, by a caller that was sent elsewhere. */
export const ELSEWHERE_SHARE = 0.01;

/** From the answer with the token to its first use: log-normal, a second in the middle, a tenth within 0.15 s. */
export const READ_AFTER_SECONDS = { median: 1, sigma: 1.5 };

/** Of a row on its way: one in a hundred takes three times as long as the middle one. */
export const TRAVEL_SIGMA = 0.5;

export const HEARTBEAT_SECONDS = 5;

const SECONDS_OF_A_DAY = 86_400;
const DAYS_OF_A_MONTH = 30;

export function simulateStaleness({ ordersPerMonth, lagSeconds, orders, random }: StalenessPlan): Staleness {
  const perSecond = ordersPerMonth / DAYS_OF_A_MONTH / SECONDS_OF_A_DAY;
  const changes: Change[] = [];
  let now = 0;
  let tooEarly = 0;
  for (let order = 0; order < orders; order += 1) {
    now += -Math.log(1 - random()) / perSecond;
    const travels = logNormal(lagSeconds, TRAVEL_SIGMA, random);
    if (logNormal(READ_AFTER_SECONDS.median, READ_AFTER_SECONDS.sigma, random) < travels) tooEarly += 1;
    changes.push({ at: now, by: 1 }, { at: now + travels, by: -1 });
  }
  const tooEarlyShare = tooEarly / orders;
  return {
    tooEarlyShare,
    tooEarlyPerDay: (tooEarlyShare * ELSEWHERE_SHARE * ordersPerMonth) / DAYS_OF_A_MONTH,
    seenLagSeconds: lagSeconds * Math.exp(TRAVEL_SIGMA ** 2 / 2) + HEARTBEAT_SECONDS / 2,
    ...countedOverTime(changes, now),
  };
}

interface Change {
  readonly at: number;
  readonly by: 1 | -1;
}

/** For how long so many were on their way, from the first order to the last. */
function countedOverTime(
  changes: Change[],
  until: number,
): Pick<Staleness, 'onTheirWay' | 'onTheirWayAtWorst'> {
  const secondsOf = new Map<number, number>();
  let count = 0;
  let since = 0;
  for (const { at, by } of changes.toSorted((a, b) => a.at - b.at)) {
    if (at > until) break;
    secondsOf.set(count, (secondsOf.get(count) ?? 0) + at - since);
    [count, since] = [count + by, at];
  }
  const counts = [...secondsOf].toSorted(([a], [b]) => a - b);
  const average = counts.reduce((sum, [each, seconds]) => sum + each * seconds, 0) / until;
  let below = 0;
  const atWorst = counts.find(([, seconds]) => (below += seconds) >= until * 0.99);
  return { onTheirWay: average, onTheirWayAtWorst: atWorst?.[0] ?? 0 };
}

/** By Box and Muller's method. */
function logNormal(median: number, sigma: number, random: () => number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return median * Math.exp(sigma * normal);
}
