import { Agent, type Dispatcher } from 'undici';
import { tracing } from './tracing.ts';

/**
 * The way out of an app: every request goes to its own Envoy, over a Unix socket, whatever the host.
 *
 * The host of the URL is the name of the virtual service that is called: `http://tokenizer/v1/tokens`.
 * Envoy makes it mutual TLS, and gives up before these timeouts do: its answer says why.
 */
export function createEgress(socketPath: string): Dispatcher {
  const agent = new Agent({
    connect: { socketPath },
    connections: 64,
    headersTimeout: 35_000,
    bodyTimeout: 35_000,
  });
  return tracing()?.withContext(agent) ?? agent;
}
