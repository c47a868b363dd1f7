/**
 * Traces of an app: off unless the environment names a collector, and then loaded. Where it is off, no hook is
 * there, and a request costs nothing more.
 *
 * @module
 */

import type { FastifyInstance } from 'fastify';
import type { Dispatcher } from 'undici';

export interface Tracing {
  /** A span for each request, as a child of the one that its Envoy made; named after the route's template. */
  addTo(app: FastifyInstance): void;
  /** Has calls within a request go on in its trace. */
  withContext(dispatcher: Dispatcher): Dispatcher;
  /** Sends what is held. */
  flush(): Promise<void>;
}

let current: Tracing | undefined;

/** The tracing of this process, once it was started. */
export function tracing(): Tracing | undefined {
  return current;
}

/** To be awaited before servers and egresses are made. @param service - The name that spans are shown under. */
export async function startTracing(
  service: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const endpoint = environment['OTEL_EXPORTER_OTLP_ENDPOINT'];
  if (endpoint === undefined || endpoint === '' || current !== undefined) return;
  const { openTelemetry } = await import('./open-telemetry.ts');
  current = openTelemetry(service, endpoint);
}
