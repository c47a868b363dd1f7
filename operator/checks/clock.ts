import { check, type CheckResult } from './check.ts';
import { CLOCK_SECONDS_APART_AT_MOST } from './catalogue.ts';

export interface ClockFacts {
  /** A node, or AWS. */
  readonly subject: string;
  /** How far its clock is ahead of this machine's; below 0 it is behind. */
  readonly aheadSeconds: number;
}

export function checkClock({ subject, aheadSeconds }: ClockFacts): CheckResult {
  const apart = Math.abs(aheadSeconds);
  const side = aheadSeconds < 0 ? 'behind' : 'ahead';
  return check(
    'clock.agrees',
    subject,
    apart <= CLOCK_SECONDS_APART_AT_MOST,
    `${apart.toFixed(1)} s ${side}`,
  );
}
