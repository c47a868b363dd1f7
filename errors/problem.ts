import type { ErrorCode } from './error.ts';

/** The media type of a problem document (RFC 9457 section 3). */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** A problem document: RFC 9457 section 3.1, with `code` and `remedy` as extension members (section 3.2). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly code: ErrorCode;
  readonly remedy: string;
  /** Of `ERR_TOKEN_NOT_REPLICATED`: the code of the region that made the token. */
  readonly region?: string;
  /** Of `ERR_TOKEN_NOT_REPLICATED`: how long ago that region wrote what arrived here last. */
  readonly lagSeconds?: number;
}

/** The same without its `type`, which follows from the code. */
export type ProblemFacts = Omit<Problem, 'type'>;

export function problem(facts: ProblemFacts): Problem {
  return { type: `urn:tokenmesh:error:${facts.code}`, ...facts };
}
