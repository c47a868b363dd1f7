import { describe, expect, it } from '@jest/globals';
import {
  ABANDON_AFTER_MS,
  IssuancePlan,
  type CallShare,
} from '../../../../sidecar/envoy/cert-agent/issuance/plan.ts';

const ALWAYS: CallShare = { take: () => true, nextAt: (now) => now };
const LIFE_MS = 120_000;

/** A plan that was issued at 0, for two minutes. */
function issued(random: number, share = ALWAYS): IssuancePlan {
  const plan = new IssuancePlan(share, 0, () => random);
  plan.next(0);
  plan.placed(0);
  plan.issued({ issuedAtMs: 0, notAfterMs: LIFE_MS });
  return plan;
}

describe('a renewal', () => {
  it.each([
    [0, 80_000],
    [0.5, 74_000],
    [1, 68_000],
  ])('with a draw of %p begins %p ms after the issue of two minutes', (random, renewAtMs) => {
    const plan = issued(random);
    expect(plan.next(renewAtMs - 1)).toEqual({ do: 'wait', untilMs: renewAtMs });
    expect(plan.next(renewAtMs)).toEqual({ do: 'place' });
  });

  it('counts from the time of issue, however far back the CA dates the beginning', () => {
    const plan = new IssuancePlan(ALWAYS, 0, () => 0);
    plan.issued({ issuedAtMs: 1_000_000, notAfterMs: 1_000_000 + 86_400_000 });
    expect(plan.held?.renewAtMs).toBe(1_000_000 + 57_600_000);
  });

  it('waits for leave to call, and then places', () => {
    let left = 0;
    const plan = issued(0, { take: () => (left -= 1) >= 0, nextAt: (now) => now + 7 });
    expect(plan.next(80_000)).toEqual({ do: 'wait', untilMs: 80_007 });
    left = 1;
    expect(plan.next(80_007)).toEqual({ do: 'place' });
  });
});

describe('a first order', () => {
  it('waits for its moment, and needs no leave beside', () => {
    const plan = new IssuancePlan({ take: () => false, nextAt: () => 99 }, 5_000, () => 0);
    expect(plan.next(4_999)).toEqual({ do: 'wait', untilMs: 5_000 });
    expect(plan.next(5_000)).toEqual({ do: 'place' });
  });
});

describe('a failure', () => {
  const waits = (plan: IssuancePlan, now: number): number => {
    plan.failed(now);
    const step = plan.next(now);
    return step.do === 'wait' ? step.untilMs - now : 0;
  };

  it.each([
    [0, [500, 1_000, 2_000, 4_000, 8_000]],
    [1, [1_000, 2_000, 4_000, 8_000, 16_000]],
  ])('is waited after for longer each time, with a draw of %p', (random, expected) => {
    const plan = new IssuancePlan(ALWAYS, 0, () => random);
    expect(expected.map(() => waits(plan, 0))).toEqual(expected);
  });

  it('is never waited after for more than five minutes', () => {
    const plan = new IssuancePlan(ALWAYS, 0, () => 1);
    const all = Array.from({ length: 40 }, () => waits(plan, 0));
    expect(Math.max(...all)).toBe(300_000);
  });

  it('is waited after for a quarter of what is left at most, so that there is another try', () => {
    const plan = issued(1);
    for (let tries = 0; tries < 10; tries += 1) plan.failed(80_000);
    expect(waits(plan, 80_000)).toBe(10_000);
    expect(waits(plan, 112_000)).toBe(2_000);
    expect(waits(plan, 119_999)).toBe(1_000);
  });

  it('is forgotten once the certificate is issued', () => {
    const plan = issued(1);
    for (let tries = 0; tries < 5; tries += 1) plan.failed(80_000);
    expect(plan.failures).toBe(5);
    plan.issued({ issuedAtMs: 90_000, notAfterMs: 210_000 });
    expect(plan.failures).toBe(0);
    expect(waits(plan, 160_000)).toBe(1_000);
  });
});

describe('an order under way', () => {
  it('is asked for rarely at the end, and placed again once it is abandoned', () => {
    const plan = new IssuancePlan(ALWAYS, 0, () => 1);
    plan.next(0);
    plan.placed(0);
    const waits: number[] = [];
    let now = 0;
    while (plan.hasOrder) {
      const step = plan.next(now);
      if (step.do === 'wait') {
        waits.push(step.untilMs - now);
        now = step.untilMs;
      } else plan.notSigned(now);
    }
    expect(waits.slice(0, 6)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 8_000]);
    expect(now).toBeGreaterThanOrEqual(ABANDON_AFTER_MS);
    expect(plan.next(now + 1_000)).toEqual({ do: 'place' });
  });

  it('stands where a call for it did not get through', () => {
    const plan = new IssuancePlan(ALWAYS, 0, () => 1);
    plan.next(0);
    plan.placed(0);
    plan.notCollected(500);
    expect(plan.hasOrder).toBe(true);
    expect(plan.next(500)).toEqual({ do: 'wait', untilMs: 1_500 });
  });
});

describe('the alarm', () => {
  it.each([
    [95_999, 'none'],
    [96_000, 'none'],
    [96_001, 'overdue'],
    [119_999, 'overdue'],
    [120_000, 'expired'],
  ])('%p ms after the issue of two minutes is %p', (now, expected) => {
    expect(issued(0).alarm(now)).toBe(expected);
  });

  it('is none before there was a certificate', () => {
    expect(new IssuancePlan(ALWAYS, 0, () => 0).alarm(1e12)).toBe('none');
  });
});
