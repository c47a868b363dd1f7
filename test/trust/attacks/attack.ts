/**
 * Attacks as data: what is tried, what is promised, and what is seen. The suites beside this folder make each
 * of them; docs/attacks.md shows them, and is held against this.
 *
 * @module
 */

/** @typeParam Target - What the attack is made on. */
export interface Attack<Target> {
  readonly what: string;
  readonly promised: string;
  /** What {@link attempt} answers, to the letter. */
  readonly seen: string;
  readonly attempt: (target: Target) => Promise<string>;
}

/** As a table of the page has it. */
export type AttackRow = Pick<Attack<never>, 'what' | 'promised' | 'seen'>;

export type Attempt<Target> = Attack<Target>['attempt'];

/** Attacks of which the same is promised and, unless they say otherwise, the same seen. */
export function alike<Target>(
  promised: string,
  seen: string,
  attacks: readonly (readonly [what: string, attempt: Attempt<Target>, seen?: string])[],
): Attack<Target>[] {
  return attacks.map(([what, attempt, own]) => ({ what, promised, seen: own ?? seen, attempt }));
}
