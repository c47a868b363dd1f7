import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';

export interface HttpsOptions {
  /** The leaf and its intermediates, PEM. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
  /** On the loopback address; 0 for any that is free. */
  readonly port: number;
}

export interface HttpsListener {
  readonly port: number;
  /** Answers what is under way, then stops. */
  readonly close: () => Promise<void>;
}

/** Serves an app over one-way TLS on the loopback address. */
export async function listenWithTls(app: FastifyInstance, options: HttpsOptions): Promise<HttpsListener> {
  await app.ready();
  const { certificate: cert, key, port } = options;
  const server = createServer({ cert, key, minVersion: 'TLSv1.2' }, (request, response) =>
    app.routing(request, response),
  );
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => closeAll(server, app) };
}

async function closeAll(server: Server, app: FastifyInstance): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  await closed;
  await app.close();
}
