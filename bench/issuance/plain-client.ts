import { IssuancePlan } from '../../sidecar/envoy/cert-agent/issuance/plan.ts';
import type { Plan } from './fleet.ts';

/** As the SDK's standard mode tries: three times, with jitter under a bound that doubles from 100 ms. */
const ATTEMPTS = 3;
const FIRST_MS = 100;
/** Then the program asks anew. */
const ASKS_EVERY_MS = 2_000;

/** The baseline: asks at once, and again as the SDK and a loop around it do. No share, no spread. */
export function plainPlan(random: () => number): Plan {
  const withoutLimit = { take: () => true, nextAt: (now: number) => now };
  const plan = new IssuancePlan(withoutLimit, 0, random);
  let tries = 0;
  let tryAtMs = 0;
  return {
    get held() {
      return plan.held;
    },
    next(now) {
      const step = plan.next(now);
      if (step.do !== 'place' || now >= tryAtMs) return step;
      return { do: 'wait', untilMs: tryAtMs };
    },
    placed: (now) => plan.placed(now),
    notSigned: (now) => plan.notSigned(now),
    notCollected: (now) => plan.notCollected(now),
    issued: (life) => plan.issued(life),
    failed(now) {
      tries += 1;
      const isLast = tries % ATTEMPTS === 0;
      tryAtMs = now + (isLast ? ASKS_EVERY_MS : random() * FIRST_MS * 2 ** (tries % ATTEMPTS));
    },
  };
}
