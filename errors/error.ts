/** What a {@link TokenmeshError} is made of. */
export interface ErrorFacts {
  /** Stable, for programs: never reworded, never reused. */
  readonly code: ErrorCode;
  /** What happened, what was expected, what was found: one line, lower case, no final period. */
  readonly message: string;
  /** What the reader can do about it, in the imperative. */
  readonly remedy: string;
  readonly cause?: unknown;
}

export type ErrorCode = `ERR_${string}`;

/**
 * The error of this project: it always says what to do.
 *
 * Neither the message nor the remedy may hold a PAN (or six digits of one), a
 * whole token, a key or a passphrase: both are shown to people and logged.
 */
export class TokenmeshError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string;

  constructor(facts: ErrorFacts) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.name;
    this.code = facts.code;
    this.remedy = facts.remedy;
  }
}

/**
 * A text that came from outside, with every row of six digits or more left out, also where they are
 * parted: six digits of a card number are not to be shown.
 */
export function withoutDigits(text: string): string {
  return text.replaceAll(/\d(?:[ ._-]?\d){5,}/g, '[digits]');
}

/** One line for a person: what happened and what to do. */
export function describeError(error: unknown): string {
  if (error instanceof TokenmeshError) return `${error.message}; ${error.remedy}`;
  return error instanceof Error ? error.message : String(error);
}
