/**
 * What the edge answers by itself, so that nothing that it could not encrypt goes on to the origin.
 *
 * @module
 */

import { TokenmeshError } from '../errors/error.ts';
import { problem, PROBLEM_MEDIA_TYPE, type ProblemFacts } from '../errors/problem.ts';
import type { EdgeResponse } from './event.ts';

const PROBLEMS = {
  ERR_EDGE_BODY_MISSING: {
    status: 500,
    title: 'The edge was not given the body.',
    remedy: 'associate the function with "include body"; nothing was passed on',
  },
  ERR_EDGE_BODY_TOO_LARGE: {
    status: 413,
    title: 'The body is too large to be encrypted at the edge.',
    remedy: 'send less in one request; encrypted, a field takes 600 bytes or more',
  },
  ERR_EDGE_BODY_LENGTH: {
    status: 400,
    title: 'The body is not as long as the request says.',
    remedy: 'send the content length that the body has',
  },
  ERR_EDGE_BODY_NOT_UTF8: {
    status: 400,
    title: 'The body is not UTF-8.',
    remedy: 'send JSON in UTF-8 (RFC 8259)',
  },
  ERR_EDGE_BODY_NOT_JSON: {
    status: 400,
    title: 'The body is not JSON.',
    remedy: 'send one JSON value in UTF-8, as the content type application/json',
  },
  ERR_EDGE_BODY_TOO_DEEP: {
    status: 400,
    title: 'The body is nested too deeply.',
    remedy: 'send at most 64 arrays and objects in one another',
  },
  ERR_EDGE_MEMBER_TWICE: {
    status: 400,
    title: 'An object of the body has a member twice.',
    remedy: 'send each member once: which of two counts is not the same for all who read it',
  },
  ERR_EDGE_FIELD_TYPE: {
    status: 400,
    title: 'A field to be encrypted is neither text nor number.',
    remedy: 'send the field as a string, a number, null, or an array of those',
  },
  ERR_EDGE_PATH: {
    status: 400,
    title: 'The path cannot be read.',
    remedy: 'encode it as RFC 3986 says, in UTF-8',
  },
  ERR_EDGE_MEDIA_TYPE: {
    status: 415,
    title: 'The edge encrypts JSON alone on this path.',
    remedy: 'send application/json in UTF-8, without a content encoding',
  },
} satisfies Readonly<Record<`ERR_${string}`, Omit<ProblemFacts, 'code'>>>;

export type EdgeProblemCode = keyof typeof PROBLEMS;

export function edgeProblem(code: EdgeProblemCode): TokenmeshError {
  const { title, remedy } = PROBLEMS[code];
  return new TokenmeshError({ code, message: title, remedy });
}

/** @returns Undefined for an error that is none of the edge's own. */
export function answerOf(error: unknown): EdgeResponse | undefined {
  if (!(error instanceof TokenmeshError) || !(error.code in PROBLEMS)) return undefined;
  const code = error.code as EdgeProblemCode;
  const { status } = PROBLEMS[code];
  return {
    status: String(status),
    statusDescription: STATUS_TEXTS[status] ?? '',
    headers: {
      'content-type': [{ key: 'Content-Type', value: PROBLEM_MEDIA_TYPE }],
      'cache-control': [{ key: 'Cache-Control', value: 'no-store' }],
    },
    body: JSON.stringify(problem({ code, ...PROBLEMS[code] })),
  };
}

const STATUS_TEXTS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  500: 'Internal Server Error',
};
