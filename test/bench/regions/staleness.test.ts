import { describe, expect, it } from '@jest/globals';
import { runRegions } from '../../../bench/regions/regions-bench.ts';
import { ELSEWHERE_SHARE, simulateStaleness } from '../../../bench/regions/staleness.ts';
import { textOf } from '../../support/documents.ts';
import { seededRandom } from '../../../local/seeded-random.ts';

function even(): () => number {
  const bytes = seededRandom(11);
  return () => Buffer.from(bytes(4)).readUInt32BE() / 2 ** 32;
}

function simulated(ordersPerMonth: number, lagSeconds: number) {
  return simulateStaleness({ ordersPerMonth, lagSeconds, orders: 50_000, random: even() });
}

describe('the model of staleness', () => {
  it('has half of the reads too early where rows travel as long as a token waits for its first use', () => {
    expect(simulated(1_000_000, 1).tooEarlyShare).toBeCloseTo(0.5, 1);
  });

  it('has as many tokens on their way as are made in the time that one takes (Little)', () => {
    const monthly = 2_592_000 * 10;
    const mean = 2 * Math.exp(0.125);
    expect(simulated(monthly, 2).onTheirWay / (10 * mean)).toBeCloseTo(1, 1);
    expect(simulated(monthly, 2).onTheirWayAtWorst).toBeGreaterThan(simulated(monthly, 2).onTheirWay);
  });

  it('tells of a day what the share is of the reads elsewhere', () => {
    const { tooEarlyShare, tooEarlyPerDay } = simulated(3_000_000, 10);
    expect(tooEarlyPerDay).toBeCloseTo(tooEarlyShare * ELSEWHERE_SHARE * 100_000);
  });

  it('makes the table of docs/regions.md', () => {
    const lines: string[] = [];
    expect(runRegions((line) => lines.push(line))).toBe(true);
    expect(textOf('docs/regions.md')).toContain(lines.join('\n'));
  });
});
