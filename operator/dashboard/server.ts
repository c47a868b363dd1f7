/**
 * Serves the dashboard on the loopback interface: one page, its files, and a stream of what there is to see.
 *
 * Nothing can be changed by it. A name that leads here by a trick of DNS is refused by the host that the
 * request names; no other site may frame the page, or run a script or a style of its own in it.
 *
 * @module
 */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TokenmeshError } from '../../errors/error.ts';
import { problem, PROBLEM_MEDIA_TYPE, type ProblemFacts } from '../../errors/problem.ts';
import { readAssets } from './assets.ts';
import { Watch, type WatchParts } from './watch.ts';

const LOOPBACK = '127.0.0.1';
const WATCHERS_AT_MOST = 16;

/** Tried first, so that the address stays the same from run to run. */
export const DASHBOARD_PORT = 8_480;

export interface Dashboard {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * @param port - This one alone; {@link DASHBOARD_PORT} or any that is free unless given.
 * @throws {TokenmeshError} `ERR_PORT_TAKEN`
 */
export async function serveDashboard(parts: WatchParts, port?: number): Promise<Dashboard> {
  const assets = readAssets();
  const watch = new Watch(parts);
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const refusal = refusalOf(request, (server.address() as AddressInfo).port);
    if (refusal !== undefined) return refuse(response, refusal);
    // Not as a URL: what is none, such as `//`, would end the process.
    const [path = '/'] = (request.url ?? '/').split('?', 1);
    if (path === '/events') return stream(response, watch);
    const asset = assets.get(path);
    if (asset === undefined) return refuse(response, UNKNOWN);
    response.setHeader('content-type', asset.type);
    response.end(request.method === 'HEAD' ? undefined : asset.body);
  });
  await listen(server, port);
  return {
    url: `http://${LOOPBACK}:${(server.address() as AddressInfo).port}`,
    async close() {
      await watch.close();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function listen(server: Server, port: number | undefined): Promise<void> {
  try {
    await once(server.listen(port ?? DASHBOARD_PORT, LOOPBACK), 'listening');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
    if (port !== undefined) throw portTaken(port, cause);
    await once(server.listen(0, LOOPBACK), 'listening');
  }
}

function portTaken(port: number, cause: unknown): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_PORT_TAKEN',
    message: `port ${port} is in use: expected one that nobody listens on`,
    remedy: 'name another with --port, or leave the option out for one that is free',
    cause,
  });
}

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

const UNKNOWN: ProblemFacts = {
  code: 'ERR_ROUTE_UNKNOWN',
  status: 404,
  title: 'There is no such page.',
  remedy: 'open the dashboard at /',
};

const OTHER_HOST: ProblemFacts = {
  code: 'ERR_DASHBOARD_HOST',
  status: 421,
  title: 'The dashboard answers under its own address alone.',
  remedy: 'open the address that npm run mesh -- status shows: 127.0.0.1 or localhost, with its port',
};

const READ_ONLY: ProblemFacts = {
  code: 'ERR_METHOD_NOT_ALLOWED',
  status: 405,
  title: 'The dashboard is for looking alone.',
  remedy: 'use GET; changes are made with npm run mesh --',
};

const TOO_MANY: ProblemFacts = {
  code: 'ERR_DASHBOARD_WATCHERS',
  status: 503,
  title: 'Too many pages are open.',
  remedy: 'close one of them',
};

function refusalOf({ method, headers }: IncomingMessage, port: number): ProblemFacts | undefined {
  if (![`${LOOPBACK}:${port}`, `localhost:${port}`].includes(headers.host ?? '')) return OTHER_HOST;
  return method === 'GET' || method === 'HEAD' ? undefined : READ_ONLY;
}

function refuse(response: ServerResponse, facts: ProblemFacts): void {
  if (facts === READ_ONLY) response.setHeader('allow', 'GET, HEAD');
  response.writeHead(facts.status, { 'content-type': PROBLEM_MEDIA_TYPE });
  response.end(JSON.stringify(problem(facts)));
}

/** Server-sent events: a page that lost the connection comes again by itself. */
function stream(response: ServerResponse, watch: Watch): void {
  if (watch.watchers >= WATCHERS_AT_MOST) return refuse(response, TOO_MANY);
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  response.write('retry: 2000\n\n');
  const leave = watch.join((event, body) => {
    // Who does not read what was sent gets no more until then.
    if (!response.writableNeedDrain) response.write(`event: ${event}\ndata: ${JSON.stringify(body)}\n\n`);
  });
  response.on('close', leave);
}
