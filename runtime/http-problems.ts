/**
 * Every refusal of a server of ours as a problem document, in words of ours: what a library says may
 * quote the request.
 *
 * @module
 */

import type { FastifyError, FastifyRequest } from 'fastify';
import { TokenmeshError, withoutDigits } from '../errors/error.ts';
import type { ProblemFacts } from '../errors/problem.ts';

/** The status and title for an error of the domain; undefined for one that must not be shown. */
export type ProblemOf = (
  error: TokenmeshError,
) => Pick<ProblemFacts, 'status' | 'title' | 'region' | 'lagSeconds'> | undefined;

export const ROUTE_UNKNOWN: ProblemFacts = {
  code: 'ERR_ROUTE_UNKNOWN',
  status: 404,
  title: 'There is no such route.',
  remedy: 'see GET /openapi.json, or the documentation of the service, for its routes',
};

export function methodNotAllowed(allowed: readonly string[]): ProblemFacts {
  return {
    code: 'ERR_METHOD_NOT_ALLOWED',
    status: 405,
    title: 'The route does not take this method.',
    remedy: `use ${allowed.join(' or ')}`,
  };
}

const BODY_MISSING: ProblemFacts = {
  code: 'ERR_BODY_MISSING',
  status: 400,
  title: 'The request has no body.',
  remedy: 'send a JSON object, as described in GET /openapi.json',
};

/** What fastify itself refuses, by its error code: in our words, since its own may quote the request. */
const TRANSPORT_PROBLEMS: Readonly<Record<string, ProblemFacts>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'ERR_MEDIA_TYPE',
    status: 415,
    title: 'The media type is not supported.',
    remedy: 'send the body as application/json',
  },
  FST_ERR_CTP_EMPTY_JSON_BODY: BODY_MISSING,
  FST_ERR_CTP_INVALID_JSON_BODY: {
    code: 'ERR_BODY_NOT_JSON',
    status: 400,
    title: 'The body is not JSON.',
    remedy: 'send one JSON object in UTF-8',
  },
  FST_ERR_MAX_PARAM_LENGTH: {
    code: 'ERR_PATH_UNREADABLE',
    status: 414,
    title: 'The path is too long.',
    remedy: 'send the token or the id whole, and nothing else in its place',
  },
  FST_ERR_BAD_URL: {
    code: 'ERR_PATH_UNREADABLE',
    status: 400,
    title: 'The path could not be read.',
    remedy: 'encode the path as RFC 3986 section 2 says, in UTF-8',
  },
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: 'ERR_BODY_TOO_LARGE',
    status: 413,
    title: 'The body is too large.',
    remedy: 'send fewer items, or smaller values: the limits are in GET /openapi.json',
  },
};

/** What a caller is told of an error. */
export function factsOf(
  error: FastifyError | TokenmeshError,
  request: FastifyRequest,
  problemOf: ProblemOf,
): ProblemFacts {
  if (error instanceof TokenmeshError) {
    const shown = problemOf(error);
    if (shown !== undefined) {
      return { code: error.code, ...shown, detail: error.message, remedy: error.remedy };
    }
    return INTERNAL;
  }
  if (error.validation !== undefined) {
    return request.body === undefined && error.validationContext === 'body'
      ? BODY_MISSING
      : invalidRequest(error);
  }
  const known = TRANSPORT_PROBLEMS[error.code] ?? TRANSPORT_PROBLEMS[String(error.statusCode)];
  if (known !== undefined) return known;
  if (error.statusCode !== undefined && error.statusCode < 500) return BODY_UNREADABLE;
  return INTERNAL;
}

const INTERNAL: ProblemFacts = {
  code: 'ERR_INTERNAL',
  status: 500,
  title: 'The service failed.',
  remedy: 'try again; if it goes on, look for the request id in the log of the service',
};

const BODY_UNREADABLE: ProblemFacts = {
  code: 'ERR_REQUEST_UNREADABLE',
  status: 400,
  title: 'The request could not be read.',
  remedy: 'send one JSON object in UTF-8, with a content length that fits',
};

/** Says where and what, never the value: ajv's messages hold schema facts only, but a property's name may be anything. */
export function invalidRequest(error: Pick<FastifyError, 'validation'>): ProblemFacts {
  const found = (error.validation ?? []).map(
    (each) => `${showPath(each.instancePath)} ${each.message ?? 'is not valid'}`,
  );
  return {
    code: 'ERR_REQUEST_INVALID',
    status: 400,
    title: 'The request is not valid.',
    detail: found.join('; '),
    remedy: 'correct the named fields: GET /openapi.json describes them',
  };
}

function showPath(instancePath: string): string {
  if (instancePath === '') return 'the request';
  return withoutDigits(instancePath.replaceAll(/[^\w/.-]/g, '?').slice(0, 120));
}

/** What may be logged of an unexpected error: its kind and where it came from, not its text, which may quote input. */
export function describeForLog(error: Error & { code?: string }): Record<string, unknown> {
  const cause = error.cause instanceof Error ? error.cause.name : undefined;
  return {
    type: error.name,
    code: error.code,
    cause,
    message: error instanceof TokenmeshError ? error.message : undefined,
    stack: error.stack?.split('\n').slice(1, 6),
  };
}

/** All of the above but unknown routes and methods, for the description of a service. */
export const REQUEST_PROBLEMS: readonly ProblemFacts[] = [
  ...Object.values(TRANSPORT_PROBLEMS),
  BODY_UNREADABLE,
  INTERNAL,
  { ...BODY_UNREADABLE, code: 'ERR_REQUEST_INVALID', title: 'The request is not valid.' },
];
