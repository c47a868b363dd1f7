import { describe, expect, it } from '@jest/globals';
import { Agenda } from '../../bench/issuance/agenda.ts';
import { peakPerSecond, runFleet } from '../../bench/issuance/fleet.ts';
import { figuresOf, isHeld, QUOTA, SCENARIOS } from '../../bench/issuance/issuance-bench.ts';

const scenario = (id: string) => {
  const found = SCENARIOS.find((each) => each.id === id);
  if (found === undefined) throw new Error(`no scenario ${id}`);
  return found;
};

describe('a fleet of 1,000 tasks', () => {
  it.each(['cold-start', 'ca-down', 'others'])(
    'stays under the quotas of the CA, and every task gets its certificates: %s',
    (id) => {
      const figures = figuresOf({ ...scenario(id), seeds: 5 });
      expect(figures.ready).toBe(1_000);
      expect(figures.peakOrders).toBeGreaterThan(0);
      expect(isHeld(figures)).toBe(true);
    },
  );

  it('loses no certificate over three days of renewals', () => {
    const run = runFleet({ ...scenario('three-days').wish, seed: 1 });
    // Three days at two thirds of a day each: four renewals at the least, of 2,000 certificates.
    expect(run.issued).toBeGreaterThan(10_000);
    expect(run.expired).toBe(0);
    expect(peakPerSecond(run.orders)).toBeLessThanOrEqual(QUOTA.orders);
  });

  it('loses none to an outage of seven hours in which all of them should have been renewed', () => {
    const figures = figuresOf({ ...scenario('down-at-renewal'), seeds: 1 });
    expect(figures.expired).toBe(0);
    expect(isHeld(figures)).toBe(true);
  });

  it('without the limiter calls a hundred times as often as the CA takes', () => {
    const run = runFleet({ ...scenario('plain').wish, seed: 1 });
    expect(peakPerSecond(run.orders)).toBeGreaterThan(100 * QUOTA.orders);
    expect(run.throttled).toBeGreaterThan(run.issued);
  });

  it('is the same run for the same seed, and another for another', () => {
    const run = (seed: number) => runFleet({ ...scenario('cold-start').wish, tasks: 10, seed });
    expect(run(7)).toEqual(run(7));
    expect(run(7)).not.toEqual(run(8));
  });

  it('made of one task waits for a second at most before its first call', () => {
    const run = runFleet({ ...scenario('cold-start').wish, tasks: 1, seed: 1 });
    expect(run.orders[0]).toBeLessThan(1_000);
    expect(run.readyAtMs).toHaveLength(1);
  });
});

describe('the most calls in a second', () => {
  it.each([
    [[], 0],
    [[0, 999], 2],
    [[0, 1000], 1],
    [[0, 500, 999, 1_400, 1_499, 3_000], 4],
  ])('of %p is %p', (calls, expected) => {
    expect(peakPerSecond(calls)).toBe(expected);
  });
});

describe('an agenda', () => {
  it('has everything happen in its time, and what comes of it too', () => {
    const agenda = new Agenda();
    const seen: number[] = [];
    for (const atMs of [5, 1, 4, 1, 3, 9, 2]) agenda.at(atMs, (now) => seen.push(now));
    agenda.at(2, (now) => agenda.at(now + 4, (later) => seen.push(later)));
    agenda.runUntil(8);
    expect(seen).toEqual([1, 1, 2, 3, 4, 5, 6]);
  });
});
