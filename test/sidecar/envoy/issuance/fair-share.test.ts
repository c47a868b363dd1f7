import { describe, expect, it } from '@jest/globals';
import {
  FairShare,
  FLEET_CALLS_PER_SECOND,
  spreadMs,
} from '../../../../sidecar/envoy/cert-agent/issuance/fair-share.ts';

const TASKS = 1_000;
/** One token. */
const PERIOD_MS = (TASKS / FLEET_CALLS_PER_SECOND) * 1000;

describe('a share of the calls', () => {
  it('spreads both first calls of every task over the time that the budget takes for them', () => {
    expect(spreadMs(TASKS)).toBe(250_000);
    expect(spreadMs(1)).toBe(250);
  });

  it('gives none before the window of the first calls has passed', () => {
    const share = new FairShare(TASKS, 0, () => 0);
    expect(share.take(spreadMs(TASKS))).toBe(false);
    expect(share.nextAt(0)).toBe(spreadMs(TASKS) + PERIOD_MS);
  });

  it('gives one call in each period, at a moment of the task’s own', () => {
    const first = spreadMs(TASKS) + 1.5 * PERIOD_MS;
    const share = new FairShare(TASKS, 0, () => 0.5);
    expect(share.nextAt(0)).toBe(first);
    expect(share.take(first - 1)).toBe(false);
    expect(share.take(first)).toBe(true);
    expect(share.take(first)).toBe(false);
    expect(share.nextAt(first)).toBe(first + PERIOD_MS);
  });

  it('saves up four calls and no more', () => {
    const share = new FairShare(TASKS, 0, () => 0);
    const later = 100 * PERIOD_MS;
    const taken = Array.from({ length: 6 }, () => share.take(later));
    expect(taken).toEqual([true, true, true, true, false, false]);
  });
});
