import { TokenmeshError } from '../errors/error.ts';
import type { TraceCollector } from '../mesh/envoy/types.ts';

/** OpenTelemetry's own name for it; the apps take it as it is. */
export const OTLP_ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT';

/**
 * Where Envoy sends its spans, from where the apps send theirs. Everything is traced in a local run.
 *
 * @throws {TokenmeshError} `ERR_OTLP_ENDPOINT`
 */
export function tracesOf(endpoint: string | undefined): { readonly traces?: TraceCollector } {
  if (endpoint === undefined || endpoint === '') return {};
  if (!URL.canParse(endpoint) || new URL(endpoint).protocol !== 'http:') {
    throw new TokenmeshError({
      code: 'ERR_OTLP_ENDPOINT',
      message: `${OTLP_ENDPOINT} is not usable: expected http://<host>:<port>, got something else`,
      remedy:
        'name a collector that takes OTLP over HTTP, such as http://127.0.0.1:4318, or unset it for no traces',
    });
  }
  const { hostname, port, pathname } = new URL(endpoint);
  return {
    traces: {
      host: hostname,
      port: Number(port || '80'),
      path: `${pathname.replace(/\/$/, '')}/v1/traces`,
      percent: 100,
    },
  };
}
