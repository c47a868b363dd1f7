import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { TokenmeshError } from '../../../errors/error.ts';
import { headerOf, IDENTITY_HEADER } from '../../../runtime/http-server.ts';
import { peerOf } from './peer.ts';
import { HealthAnswer, ProblemSchema, ReadinessAnswer } from './schemas.ts';
import type { TokenizerParts } from './server.ts';

/**
 * What tells of the service itself: health and readiness to the mesh and to the
 * task's own probes, the OpenAPI document to the mesh, metrics to the task alone.
 *
 * A request that Envoy passed on carries an identity; one without can only come
 * from inside the task, where the socket is.
 */
export function addServiceRoutes(app: FastifyInstance, parts: TokenizerParts): void {
  const { mesh, metrics, checkReady } = parts;
  app.addHook('onRequest', async (request) => {
    const identity = headerOf(request.headers[IDENTITY_HEADER]);
    const isLocal = identity === undefined && request.routeOptions.url !== '/openapi.json';
    if (!isLocal) peerOf(mesh, identity);
  });
  app.get(
    '/healthz',
    { schema: { summary: 'Is the process there', response: { 200: HealthAnswer } } },
    async () => ({ status: 'ok' }),
  );
  app.get(
    '/readyz',
    { schema: { summary: 'Can requests be served', response: { 200: ReadinessAnswer, 503: ProblemSchema } } },
    async () => {
      await checkReady();
      const policy = parts.policyState?.();
      const keys = parts.keyState?.();
      return {
        status: 'ok',
        ...(policy === undefined ? {} : { policy }),
        ...(keys === undefined ? {} : { keys }),
      };
    },
  );
  app.get(
    '/metrics',
    {
      schema: {
        summary: 'Prometheus metrics, for the task alone',
        response: { 200: { description: 'Metrics.', content: { 'text/plain': { schema: Type.String() } } } },
      },
    },
    async (request, reply) => {
      if (headerOf(request.headers[IDENTITY_HEADER]) !== undefined) throw localOnly();
      const text = await metrics.text();
      return await reply
        .type(metrics.contentType)
        .serializer((body: string) => body)
        .send(text);
    },
  );
  app.get(
    '/openapi.json',
    { schema: { summary: 'This document', response: { 200: Type.Object({ openapi: Type.String() }) } } },
    async () => app.swagger(),
  );
}

function localOnly(): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_LOCAL_ONLY',
    message:
      'metrics are not served to the mesh: expected a request from inside the task, got one through Envoy',
    remedy: 'scrape them from inside the task, over the socket',
  });
}
