/**
 * Spans of Envoy's own, in OpenTelemetry's protocol over HTTP; none unless the placement says where to.
 *
 * What Envoy would tell by itself holds the caller's own words: a URL with its path, which may have a token in
 * it, and the user agent. Both are overwritten; a span is named after its operation.
 *
 * @module
 */

import type { EnvoyJson, Placement, TraceCollector } from './types.ts';

export const TRACES_CLUSTER = 'traces';

/** Added to a connection manager. @param isEdge - Whether those who connect are outside the mesh. */
export function tracingOf(serviceName: string, { traces }: Placement, isEdge: boolean): EnvoyJson {
  if (traces === undefined) return {};
  return {
    tracing: {
      random_sampling: { value: traces.percent },
      spawn_upstream_span: true,
      max_path_tag_length: 0,
      custom_tags: [
        { tag: 'http.url', literal: { value: 'not told' } },
        { tag: 'user_agent', literal: { value: 'not told' } },
      ],
      provider: {
        name: 'envoy.tracers.opentelemetry',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig',
          service_name: serviceName,
          http_service: {
            http_uri: { uri: uriOf(traces), cluster: TRACES_CLUSTER, timeout: '2s' },
          },
        },
      },
    },
    ...(isEdge ? { early_header_mutation_extensions: [NO_CONTEXT_FROM_OUTSIDE] } : {}),
  };
}

function uriOf({ host, port, path }: TraceCollector): string {
  return `http://${host}:${port}${path}`;
}

/** A trace begins at the gateway: a caller outside chooses neither its id, nor what is sampled, nor what goes along. */
const NO_CONTEXT_FROM_OUTSIDE: EnvoyJson = {
  name: 'envoy.http.early_header_mutation.header_mutation',
  typed_config: {
    '@type':
      'type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation',
    mutations: ['traceparent', 'tracestate', 'baggage'].map((name) => ({ remove: name })),
  },
};

/** A route's span is named after it: no path is in a name. */
export function spanName(name: string, { traces }: Placement): EnvoyJson {
  return traces === undefined ? {} : { decorator: { operation: name, propagate: false } };
}
