/**
 * The table of docs/regions.md: how stale another region is, for three sizes of user and four lags.
 *
 * @module
 */

import { USAGES } from '../../infra/cost/usage.ts';
import { simulateStaleness } from './staleness.ts';

/** A global table's own; a bad hour; and two in which something is broken. */
const LAGS_SECONDS = [0.5, 2, 10, 60];
const ORDERS = 200_000;
const SEED = 20_260_304;

const HEAD = [
  'size',
  'rows travel',
  'lag that is seen',
  'too early, of reads elsewhere',
  'too early, a day',
  'not arrived when the region is lost',
  'in one of 100 moments, at least',
];

/** @returns Whether a longer lag never made anything fresher. */
export function runRegions(print: (line: string) => void): boolean {
  const shares: number[][] = [];
  print(`| ${HEAD.join(' | ')} |`);
  print(`|${HEAD.map((_, index) => (index === 0 ? '---' : '---:')).join('|')}|`);
  for (const { size, what, orders: ordersPerMonth } of USAGES) {
    const random = seeded(SEED);
    const found = LAGS_SECONDS.map((lagSeconds) => ({
      lagSeconds,
      ...simulateStaleness({ ordersPerMonth, lagSeconds, orders: ORDERS, random }),
    }));
    shares.push(found.map(({ tooEarlyShare }) => tooEarlyShare));
    for (const each of found) {
      const cells = [
        `${size}: ${what}`,
        `${each.lagSeconds} s`,
        `${each.seenLagSeconds.toFixed(1)} s`,
        `${(each.tooEarlyShare * 100).toFixed(1)} %`,
        rounded(each.tooEarlyPerDay),
        rounded(each.onTheirWay),
        rounded(each.onTheirWayAtWorst),
      ];
      print(`| ${cells.join(' | ')} |`);
    }
  }
  return shares.every((row) => row.every((share, index) => index === 0 || share >= (row[index - 1] ?? 0)));
}

function rounded(count: number): string {
  return count < 10 ? String(Number(count.toFixed(2))) : Math.round(count).toLocaleString('en-US');
}

/** A linear congruential generator, so that the table is the same in every run ("Numerical Recipes", section 7.1). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
