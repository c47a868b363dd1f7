import type { ListenerCounters, ProbeOutcome } from './seen.ts';
import { check, type CheckResult } from './check.ts';

/** Ways of connecting that a listener must refuse. */
export type Intrusion = 'no-certificate' | 'plaintext' | 'other-ca' | 'expired' | 'other-name' | 'tls-1.2';

type Counter = 'failVerifyNoCert' | 'failVerifyError' | 'failVerifySan' | 'connectionError';

/** What each is, and the counter of the listener that has to rise with it. */
export const INTRUSIONS: Readonly<Record<Intrusion, { readonly what: string; readonly counter: Counter }>> = {
  'no-certificate': { what: 'a caller without a certificate', counter: 'failVerifyNoCert' },
  plaintext: { what: 'a caller without TLS', counter: 'connectionError' },
  'other-ca': { what: "a certificate of another CA, with a member's name", counter: 'failVerifyError' },
  expired: { what: "a member's certificate that has expired", counter: 'failVerifyError' },
  'other-name': {
    what: 'a certificate of our CA for a name that is not of the mesh',
    counter: 'failVerifySan',
  },
  'tls-1.2': { what: 'a member that offers TLS 1.2 at most', counter: 'connectionError' },
};

export interface RefusalFacts {
  readonly listener: string;
  readonly intrusion: Intrusion;
  readonly outcome: ProbeOutcome;
  readonly before: ListenerCounters;
  readonly after: ListenerCounters;
}

/** Refused means both: no answer came, and the listener counted why. Silence alone proves nothing. */
export function checkRefusal(facts: RefusalFacts): CheckResult {
  const { what, counter } = INTRUSIONS[facts.intrusion];
  const counted = facts.after[counter] - facts.before[counter];
  const refused = facts.outcome.outcome === 'refused';
  return check(
    {
      id: `refusals.${facts.intrusion}`,
      group: 'refusals',
      subject: facts.listener,
      sentence: `${what} is refused`,
      hint: 'compare the listener with what mesh/envoy/tls-context.ts renders, then restart its sidecar',
    },
    refused && counted >= 1,
    refused ? `refused, ${counter} +${counted}` : `answered ${facts.outcome.status}`,
  );
}
