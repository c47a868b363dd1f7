import type { ListenerCounters, ProbeOutcome } from './seen.ts';
import { check, type CheckResult } from './check.ts';

/** Ways of connecting that a listener must refuse. */
export type Intrusion = 'no-certificate' | 'plaintext' | 'other-ca' | 'expired' | 'other-name' | 'tls-1.2';

type Counter = 'failVerifyNoCert' | 'failVerifyError' | 'failVerifySan' | 'connectionError';

/** The counter of the listener that has to rise with each. */
export const INTRUSIONS: Readonly<Record<Intrusion, { readonly counter: Counter }>> = {
  'no-certificate': { counter: 'failVerifyNoCert' },
  plaintext: { counter: 'connectionError' },
  'other-ca': { counter: 'failVerifyError' },
  expired: { counter: 'failVerifyError' },
  'other-name': { counter: 'failVerifySan' },
  'tls-1.2': { counter: 'connectionError' },
};

/** What can be tried where no certificate is asked for. */
export const ONE_WAY_INTRUSIONS: readonly Intrusion[] = ['plaintext', 'tls-1.2'];

export interface RefusalFacts {
  readonly listener: string;
  readonly intrusion: Intrusion;
  readonly outcome: ProbeOutcome;
  readonly before: ListenerCounters;
  readonly after: ListenerCounters;
}

/** Refused means both: no answer came, and the listener counted why. Silence alone proves nothing. */
export function checkRefusal(facts: RefusalFacts): CheckResult {
  const { counter } = INTRUSIONS[facts.intrusion];
  const counted = facts.after[counter] - facts.before[counter];
  const refused = facts.outcome.outcome === 'refused';
  return check(
    `refusals.${facts.intrusion}`,
    facts.listener,
    refused && counted >= 1,
    refused ? `refused, ${counter} +${counted}` : `answered ${facts.outcome.status}`,
  );
}
