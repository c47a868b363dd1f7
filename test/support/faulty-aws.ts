/**
 * Stands in front of the emulated AWS and answers chosen calls with an error of AWS's, as a real AWS does
 * that is throttled.
 *
 * @module
 */

import { once } from 'node:events';
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FaultyAws {
  readonly endpoint: string;
  /** Answers so many of the calls whose target ends like this with an error of this name. */
  fail(action: string, times: number, errorName: string): void;
  /** How many calls of this action came, failed or not. */
  calls(action: string): number;
  stop(): Promise<void>;
}

interface Fault {
  left: number;
  readonly errorName: string;
}

export async function startFaultyAws(endpointUrl: string): Promise<FaultyAws> {
  const faults = new Map<string, Fault>();
  const counted = new Map<string, number>();
  const upstream = new URL(endpointUrl);
  const server = createServer((incoming, response) => {
    const action =
      String(incoming.headers['x-amz-target'] ?? '')
        .split('.')
        .at(-1) ?? '';
    counted.set(action, (counted.get(action) ?? 0) + 1);
    const fault = faults.get(action);
    if (fault !== undefined && fault.left > 0) {
      fault.left -= 1;
      incoming.resume();
      return refuse(response, fault.errorName);
    }
    pass(upstream, incoming, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fail: (action, times, errorName) => void faults.set(action, { left: times, errorName }),
    calls: (action) => counted.get(action) ?? 0,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function refuse(response: ServerResponse, errorName: string): void {
  response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': errorName });
  response.end(JSON.stringify({ __type: errorName, message: 'Rate exceeded' }));
}

function pass(upstream: URL, incoming: IncomingMessage, response: ServerResponse): void {
  const { method, url, headers } = incoming;
  const onward = forward(
    { host: upstream.hostname, port: upstream.port, method, path: url, headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  onward.once('error', () => response.destroy());
  incoming.pipe(onward);
}
