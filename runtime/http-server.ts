/**
 * The HTTP server that every app of the mesh runs: on a Unix socket that only its Envoy reaches,
 * with problem documents for every refusal and one log line for each request.
 *
 * @module
 */

import { chmod, rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyRequest,
} from 'fastify';
import { TokenmeshError, type ErrorCode } from '../errors/error.ts';
import { problem, PROBLEM_MEDIA_TYPE, type ProblemFacts } from '../errors/problem.ts';
import type { Logger } from './log.ts';

/** Set by the listener's Envoy from the certificate it verified, overwriting whatever the caller sent. */
export const IDENTITY_HEADER = 'x-tokenmesh-identity';

export interface ServerOptions {
  readonly logger: Logger;
  readonly bodyLimitBytes: number;
  /** The status and title for an error of the domain; undefined for one that must not be shown. */
  readonly problemOf: (error: TokenmeshError) => { status: number; title: string } | undefined;
}

export function createServer(options: ServerOptions): FastifyInstance {
  const loggerInstance: FastifyBaseLogger = options.logger;
  const app = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: options.bodyLimitBytes,
    genReqId: (request) => requestIdOf(request.headers['x-request-id']),
    routerOptions: { ignoreTrailingSlash: false },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false } },
  });
  // Else a body of text would be taken for a JSON document that is not valid, rather than for the wrong media type.
  app.removeContentTypeParser('text/plain');
  app.addHook('onResponse', (request, reply, done) => {
    options.logger.info(
      {
        requestId: request.id,
        identity: headerOf(request.headers[IDENTITY_HEADER]),
        method: request.method,
        route: request.routeOptions.url ?? 'unknown',
        status: reply.statusCode,
        durationMs: Math.round(reply.elapsedTime * 1000) / 1000,
      },
      'request answered',
    );
    done();
  });
  app.setErrorHandler(async (error: FastifyError | TokenmeshError, request, reply) => {
    const facts = factsOf(error, options);
    if (facts.status >= 500) {
      options.logger.error({ requestId: request.id, err: describeForLog(error) }, 'request failed');
    }
    if (facts.status === 503 && !reply.hasHeader('retry-after')) reply.header('retry-after', '1');
    return reply.status(facts.status).type(PROBLEM_MEDIA_TYPE).send(problem(facts));
  });
  app.setNotFoundHandler(async (request, reply) => {
    const allowed = methodsOf(app, request);
    if (allowed.length > 0) reply.header('allow', allowed.join(', '));
    const facts = allowed.length > 0 ? methodNotAllowed(allowed) : ROUTE_UNKNOWN;
    return reply.status(facts.status).type(PROBLEM_MEDIA_TYPE).send(problem(facts));
  });
  return app;
}

const REQUEST_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Envoy's request id, a UUID. Anything else under that name is not logged: it may be anything. */
function requestIdOf(header: string | string[] | undefined): string {
  const given = headerOf(header);
  return given !== undefined && REQUEST_ID.test(given) ? given : randomUUID();
}

/** Listens on a Unix socket for the owner alone; a socket left by a process that died is removed first. */
export async function listenOnSocket(app: FastifyInstance, path: string): Promise<void> {
  await rm(path, { force: true });
  await app.listen({ path });
  await chmod(path, 0o600);
}

/** One value of a header, whatever the number of times it was sent. */
export function headerOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

const ROUTE_UNKNOWN: ProblemFacts = {
  code: 'ERR_ROUTE_UNKNOWN',
  status: 404,
  title: 'There is no such route.',
  remedy: 'see GET /openapi.json, or the documentation of the service, for its routes',
};

function methodNotAllowed(allowed: readonly string[]): ProblemFacts {
  return {
    code: 'ERR_METHOD_NOT_ALLOWED',
    status: 405,
    title: 'The route does not take this method.',
    remedy: `use ${allowed.join(' or ')}`,
  };
}

function methodsOf(app: FastifyInstance, request: FastifyRequest): string[] {
  const url = request.url.split('?')[0] ?? '/';
  return (['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const).filter(
    (method) => app.findRoute({ method, url }) !== null,
  );
}

/** What fastify itself refuses, by its error code: in our words, since its own may quote the request. */
const TRANSPORT_PROBLEMS: Readonly<Record<string, ProblemFacts>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'ERR_MEDIA_TYPE',
    status: 415,
    title: 'The media type is not supported.',
    remedy: 'send the body as application/json',
  },
  FST_ERR_CTP_EMPTY_JSON_BODY: {
    code: 'ERR_BODY_MISSING',
    status: 400,
    title: 'The request has no body.',
    remedy: 'send a JSON object, as described in GET /openapi.json',
  },
  FST_ERR_CTP_INVALID_JSON_BODY: {
    code: 'ERR_BODY_NOT_JSON',
    status: 400,
    title: 'The body is not JSON.',
    remedy: 'send one JSON object in UTF-8',
  },
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: 'ERR_BODY_TOO_LARGE',
    status: 413,
    title: 'The body is too large.',
    remedy: 'send fewer items, or smaller values: the limits are in GET /openapi.json',
  },
};

function factsOf(error: FastifyError | TokenmeshError, options: ServerOptions): ProblemFacts {
  if (error instanceof TokenmeshError) {
    const shown = options.problemOf(error);
    if (shown !== undefined) {
      return { code: error.code, ...shown, detail: error.message, remedy: error.remedy };
    }
    return INTERNAL;
  }
  if (error.validation !== undefined) return invalidRequest(error);
  const known = TRANSPORT_PROBLEMS[error.code];
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
  const bodyMissing = (error.validation ?? []).some(
    (each) => each.instancePath === '' && each.keyword === 'type',
  );
  const code: ErrorCode = bodyMissing ? 'ERR_BODY_MISSING' : 'ERR_REQUEST_INVALID';
  return {
    code,
    status: 400,
    title: bodyMissing ? 'The request has no body.' : 'The request is not valid.',
    detail: found.join('; '),
    remedy: 'correct the named fields: GET /openapi.json describes them',
  };
}

function showPath(instancePath: string): string {
  if (instancePath === '') return 'the body';
  return instancePath
    .replaceAll(/\d{6,}/g, '[digits]')
    .replaceAll(/[^\w/.-]/g, '?')
    .slice(0, 120);
}

/** What may be logged of an unexpected error: its kind and where it came from, not its text, which may quote input. */
function describeForLog(error: Error & { code?: string }): Record<string, unknown> {
  const cause = error.cause instanceof Error ? error.cause.name : undefined;
  return {
    type: error.name,
    code: error.code,
    cause,
    message: error instanceof TokenmeshError ? error.message : undefined,
    stack: error.stack?.split('\n').slice(1, 6),
  };
}
