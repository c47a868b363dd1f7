import { CHECKS, documentOf, groupOf, type CheckGroup, type CheckId, type Severity } from './catalogue.ts';

/** What a check found: a sentence that held or did not, and what to do where it did not. */
export interface CheckResult {
  /** Stable, for programs: `<group>.<what>`. */
  readonly id: CheckId;
  readonly group: CheckGroup;
  readonly severity: Severity;
  /** What the check is about: an edge, a listener, a certificate. */
  readonly subject: string;
  /** The claim, in the present tense. */
  readonly sentence: string;
  /** `unknown`: what it is about could not be looked at, which is no better than that it does not hold. */
  readonly outcome: 'held' | 'failed' | 'unknown';
  /** `held` alone. */
  readonly ok: boolean;
  /** What was seen. */
  readonly found: string;
  readonly hint: string;
  /** Where to read on: a page and its heading. */
  readonly document: string;
}

/** @param hint - Where what was found says better what to do. */
export function check(id: CheckId, subject: string, ok: boolean, found: string, hint?: string): CheckResult {
  return result(id, subject, ok ? 'held' : 'failed', found, hint);
}

/** @param reason - Why nothing could be seen: the kind of an error, not its text. */
export function unknown({ id, subject }: ExpectedCheck, reason: string): CheckResult {
  return result(id, subject, 'unknown', reason);
}

function result(
  id: CheckId,
  subject: string,
  outcome: CheckResult['outcome'],
  found: string,
  hint?: string,
): CheckResult {
  const { severity, sentence, hint: usual } = CHECKS[id];
  const node = /^[a-z][a-z0-9-]*/.exec(subject)?.[0] ?? '<node>';
  return {
    id,
    group: groupOf(id),
    severity,
    subject,
    sentence,
    outcome,
    ok: outcome === 'held',
    found,
    hint: (hint ?? usual).replaceAll('<node>', node).replaceAll('<tenant>', node),
    document: documentOf(id),
  };
}

/** A check that the definition of the mesh calls for. */
export interface ExpectedCheck {
  readonly id: CheckId;
  readonly subject: string;
}

/** Something that could not be looked at. */
export interface Unseen {
  readonly group: CheckGroup;
  /** The beginning of the subjects that it hides; all of the group unless given. */
  readonly subject?: string;
  readonly reason: string;
}

/** Every check that is called for and was not made is unknown: what is not looked at never passes. */
export function withUnknown(
  expected: readonly ExpectedCheck[],
  made: readonly CheckResult[],
  unseen: readonly Unseen[],
): CheckResult[] {
  const seen = new Set(made.map(({ id, subject }) => `${id} ${subject}`));
  const missing = expected.filter(({ id, subject }) => !seen.has(`${id} ${subject}`));
  return [
    ...made,
    ...missing.map((each) => {
      const why = unseen.find(
        ({ group, subject }) =>
          group === groupOf(each.id) && (subject === undefined || each.subject.startsWith(subject)),
      );
      return unknown(each, why?.reason ?? 'not looked at');
    }),
  ];
}
