/**
 * Traces by OpenTelemetry's SDK, in its protocol (OTLP) over HTTP as JSON.
 *
 * Spans say the route's template, the method and the status. Nothing of a body, a path, a query or a header.
 *
 * @module
 */

import { context, propagation, SpanKind, SpanStatusCode, trace, type Context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import type { FastifyRequest } from 'fastify';
import type { Dispatcher } from 'undici';
import type { Tracing } from './tracing.ts';

const DELAY_MS = 1_000;

export function openTelemetry(service: string, endpoint: string): Tracing {
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` });
  const processor = new BatchSpanProcessor(exporter, { scheduledDelayMillis: DELAY_MS });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': service }),
    // Envoy decides what is traced. What did not come through it, such as a probe of the task's, is not.
    sampler: new ParentBasedSampler({ root: new AlwaysOffSampler() }),
    spanProcessors: [processor],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const tracer = provider.getTracer('tokenmesh');
  const contexts = new WeakMap<FastifyRequest, Context>();
  return {
    addTo(app) {
      app.addHook('onRequest', (request, _reply, done) => {
        const parent = propagation.extract(context.active(), request.headers);
        const route = request.routeOptions.url ?? 'unknown';
        const span = tracer.startSpan(
          `${request.method} ${route}`,
          {
            kind: SpanKind.SERVER,
            attributes: { 'http.request.method': request.method, 'http.route': route },
          },
          parent,
        );
        contexts.set(request, trace.setSpan(parent, span));
        done();
      });
      // Once the body has been read: what reads it runs in the context of the socket.
      app.addHook('preValidation', (request, _reply, done) => {
        context.with(contexts.get(request) ?? context.active(), done);
      });
      app.addHook('onResponse', (request, reply, done) => {
        const span = trace.getSpan(contexts.get(request) ?? context.active());
        span?.setAttribute('http.response.status_code', reply.statusCode);
        if (reply.statusCode >= 500) span?.setStatus({ code: SpanStatusCode.ERROR });
        span?.end();
        done();
      });
    },
    withContext: (dispatcher) => dispatcher.compose(inContext),
    flush: async () => await provider.forceFlush(),
  };
}

const inContext: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) => {
  const carried: Record<string, string> = {};
  propagation.inject(context.active(), carried);
  const headers = { ...(options.headers as Record<string, string> | undefined), ...carried };
  return dispatch({ ...options, headers }, handler);
};
