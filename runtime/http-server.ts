/**
 * The HTTP server that every app of the mesh runs: on a Unix socket that only its Envoy reaches,
 * with problem documents for every refusal and one log line for each request.
 *
 * @module
 */

import { chmod, rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { TokenmeshError } from '../errors/error.ts';
import { problem, PROBLEM_MEDIA_TYPE, type ProblemFacts } from '../errors/problem.ts';
import { IDENTITY_HEADER } from '../mesh/envoy/http.ts';
import { describeForLog, factsOf, methodNotAllowed, ROUTE_UNKNOWN, type ProblemOf } from './http-problems.ts';
import { takeStrictJson } from './json-body.ts';
import type { Logger } from './log.ts';
import { tracing } from './tracing.ts';

export { invalidRequest, REQUEST_PROBLEMS } from './http-problems.ts';
export { IDENTITY_HEADER };

export interface ServerOptions {
  readonly logger: Logger;
  readonly bodyLimitBytes: number;
  readonly problemOf: ProblemOf;
}

export function createServer(options: ServerOptions): FastifyInstance {
  const loggerInstance: FastifyBaseLogger = options.logger;
  const app = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: options.bodyLimitBytes,
    genReqId: (request) => requestIdOf(request.headers['x-request-id']),
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: MAX_PARAMETER_LENGTH },
    frameworkErrors: (error, request, reply) => {
      void sendProblem(factsOf(error, request, options.problemOf), reply);
    },
    clientErrorHandler: refuseUnreadable,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false } },
  });
  tracing()?.addTo(app);
  takeStrictJson(app);
  app.server.on('checkExpectation', (_request, response: ServerResponse) => {
    const facts = EXPECTATION_FAILED;
    response
      .writeHead(facts.status, { 'content-type': PROBLEM_MEDIA_TYPE })
      .end(JSON.stringify(problem(facts)));
  });
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
    const facts = factsOf(error, request, options.problemOf);
    if (facts.status >= 500) {
      options.logger.error({ requestId: request.id, err: describeForLog(error) }, 'request failed');
    }
    if (facts.status === 503 && !reply.hasHeader('retry-after')) reply.header('retry-after', '1');
    return await sendProblem(facts, reply);
  });
  app.setNotFoundHandler(async (request, reply) => {
    const allowed = methodsOf(app, request);
    if (allowed.length > 0) reply.header('allow', allowed.join(', '));
    const facts = allowed.length > 0 ? methodNotAllowed(allowed) : ROUTE_UNKNOWN;
    return await sendProblem(facts, reply);
  });
  return app;
}

async function sendProblem(facts: ProblemFacts, reply: FastifyReply): Promise<FastifyReply> {
  return await reply
    .status(facts.status)
    .type(PROBLEM_MEDIA_TYPE)
    .send(JSON.stringify(problem(facts)));
}

/** Longer than any token or id, so that a wrong one is the route's to refuse. */
const MAX_PARAMETER_LENGTH = 512;

export const EXPECTATION_FAILED: ProblemFacts = {
  code: 'ERR_EXPECTATION',
  status: 417,
  title: 'The expectation cannot be met.',
  remedy: 'leave the header Expect out',
};

const UNREADABLE: ProblemFacts = {
  code: 'ERR_REQUEST_UNREADABLE',
  status: 400,
  title: 'The request could not be read.',
  remedy: 'send a well-formed HTTP request, with headers of less than 15 KiB together',
};

/** What the HTTP parser refuses has no request yet, and so no reply: the answer is written as it is. */
function refuseUnreadable(_error: Error, socket: Socket): void {
  const body = JSON.stringify(problem(UNREADABLE));
  const head = `HTTP/1.1 400 Bad Request\r\ncontent-type: ${PROBLEM_MEDIA_TYPE}\r\ncontent-length: ${body.length}`;
  if (socket.writable) socket.end(`${head}\r\nconnection: close\r\n\r\n${body}`);
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

function methodsOf(app: FastifyInstance, request: FastifyRequest): string[] {
  const url = request.url.split('?')[0] ?? '/';
  return (['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const).filter(
    (method) => app.findRoute({ method, url }) !== null,
  );
}
