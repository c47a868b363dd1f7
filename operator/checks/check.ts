/** What a check found: a sentence that held or did not, and what to do where it did not. */
export interface CheckResult {
  /** Stable, for programs: `<group>.<what>`. */
  readonly id: string;
  readonly group: 'mtls' | 'refusals' | 'certificates' | 'revocation' | 'policy' | 'vault';
  /** What the check is about: an edge, a listener, a certificate. */
  readonly subject: string;
  /** The claim, in the present tense. */
  readonly sentence: string;
  readonly ok: boolean;
  /** What was seen. */
  readonly found: string;
  readonly hint: string;
}

type Claim = Omit<CheckResult, 'ok' | 'found'>;

export function check(claim: Claim, ok: boolean, found: string): CheckResult {
  return { ...claim, ok, found };
}
