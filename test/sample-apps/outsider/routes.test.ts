import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Agent, type Dispatcher } from 'undici';
import { ATTEMPTS } from '../../../sample-apps/outsider/attempts.ts';
import { makeAttempts, type AttemptReport } from '../../../sample-apps/outsider/make-attempts.ts';
import { createOutsiderServer } from '../../../sample-apps/outsider/routes.ts';
import { TEST_CARDS } from '../../../sample-apps/test-cards.ts';
import { captureLog } from '../../fakes/captured-log.ts';

const TARGETS = { token: 'tkn_of_somebody', orderId: '11111111-2222-4333-8444-555555555555' };
const PROBLEM = 'application/problem+json';

interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly body?: object;
  /** Of the Envoy that refuses by itself. */
  readonly refusedBy?: string;
}

/** A proxy as the app sees it: it is sent whatever the host of the URL is, and keeps the request line. */
let proxy: Server;
let dispatcher: Dispatcher;
let seen: { method: string; url: string; headers: string[]; body: string }[];
let answer: Answer;

beforeEach(async () => {
  seen = [];
  answer = { status: 403, type: PROBLEM, refusedBy: 'envoy' };
  proxy = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.rawHeaders, body });
      const refusedBy = answer.refusedBy === undefined ? {} : { 'x-tokenmesh-refused-by': answer.refusedBy };
      response.writeHead(answer.status, { 'content-type': answer.type ?? 'text/plain', ...refusedBy });
      response.end(answer.body === undefined ? '' : JSON.stringify(answer.body));
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo;
  dispatcher = new Agent().compose((dispatch) => (options, handler) => {
    const host = new URL(String(options.origin)).host;
    const headers = { host, ...(options.headers as Record<string, string>) };
    return dispatch({ ...options, origin: `http://127.0.0.1:${port}`, headers }, handler);
  });
});

afterEach(async () => {
  await dispatcher.close();
  proxy.close();
});

const attemptAll = (): Promise<AttemptReport> => makeAttempts(ATTEMPTS, dispatcher, TARGETS);
const first = ATTEMPTS.slice(0, 1);

describe('making the attempts', () => {
  it('counts each one that Envoy refuses as refused, also those that ask for no body', async () => {
    const report = await attemptAll();
    expect(report.attempts).toHaveLength(ATTEMPTS.length);
    expect(report).toMatchObject({ refused: ATTEMPTS.length, allowed: 0 });
    expect(seen).toHaveLength(ATTEMPTS.length);
  });

  it('sends odd paths as they stand', async () => {
    await attemptAll();
    const urls = seen.map(({ url }) => url);
    for (const odd of [
      '/v1/tokens/../detokenize',
      '//v1/detokenize',
      '/v1%2Fdetokenize',
      '/v1\\detokenize',
    ]) {
      expect(urls).toContain(odd);
    }
  });

  it('sends the spoofed headers', async () => {
    await attemptAll();
    const spoofed = seen.find(({ headers }) => headers.includes('x-tokenmesh-identity'));
    expect(spoofed?.headers).toContain('paybill.tokenmesh.internal');
  });

  it('tries the token and the order that it is given, and shows neither', async () => {
    const report = await attemptAll();
    expect(seen.map(({ url }) => url)).toEqual(
      expect.arrayContaining([`/v1/tokens/${TARGETS.token}`, `/orders/${TARGETS.orderId}`]),
    );
    expect(seen.some(({ body }) => body.includes(`"token":"${TARGETS.token}"`))).toBe(true);
    expect(JSON.stringify(report)).not.toContain(TARGETS.token);
  });

  it('shows nothing of what gets through', async () => {
    answer = { status: 200, type: 'application/json', body: { fields: { number: { value: 'secret' } } } };
    const report = await attemptAll();
    expect(report).toMatchObject({ refused: 0, allowed: ATTEMPTS.length });
    expect(JSON.stringify(report)).not.toContain('secret');
  });

  it.each<[boolean, Answer]>([
    [true, { status: 403, type: PROBLEM, refusedBy: 'envoy' }],
    [true, { status: 400 }],
    [false, { status: 403, type: PROBLEM, body: { code: 'ERR_OPERATION_DENIED' } }],
    [false, { status: 503, type: PROBLEM, refusedBy: 'envoy' }],
    [false, { status: 400, type: PROBLEM, body: { code: 'ERR_REQUEST_INVALID' } }],
    [false, { status: 404, type: PROBLEM, body: { code: 'ERR_TOKEN_UNKNOWN' } }],
    [false, { status: 201 }],
    [false, { status: 503, type: PROBLEM, body: { code: 'ERR_BACKEND_UNAVAILABLE' } }],
  ])('counts as refused: %s, for the answer %j', async (refused, given) => {
    answer = given;
    const report = await makeAttempts(first, dispatcher, TARGETS);
    expect(report.attempts[0]).toMatchObject({ status: given.status, refused });
  });

  it('takes silence for no refusal', async () => {
    proxy.close();
    const report = await makeAttempts(first, dispatcher, TARGETS);
    expect(report).toMatchObject({ attempts: [{ status: 0, refused: false }], allowed: 1 });
  });
});

describe('POST /attempts', () => {
  it.each([undefined, {}, TARGETS])('answers the report, for the body %j', async (payload) => {
    const log = captureLog();
    const server = createOutsiderServer({ dispatcher, logger: log.logger });
    const found = await server.inject({ method: 'POST', url: '/attempts', ...(payload && { payload }) });
    expect(found.statusCode).toBe(200);
    expect(found.json<AttemptReport>()).toMatchObject({ refused: ATTEMPTS.length, allowed: 0 });
    for (const { number } of TEST_CARDS) expect(found.body + log.text()).not.toContain(number.slice(0, 6));
    await server.close();
  });

  it.each([[{ token: '' }], [{ token: 'a/../b' }], [{ other: 1 }], [[]]])(
    'refuses the body %j and attempts nothing',
    async (payload) => {
      const server = createOutsiderServer({ dispatcher, logger: captureLog().logger });
      const found = await server.inject({ method: 'POST', url: '/attempts', payload });
      expect(found.json()).toMatchObject({ status: 400, code: 'ERR_REQUEST_INVALID' });
      expect(seen).toEqual([]);
      await server.close();
    },
  );

  it('is alive and ready', async () => {
    const server = createOutsiderServer({ dispatcher, logger: captureLog().logger });
    expect((await server.inject('/healthz')).statusCode).toBe(200);
    expect((await server.inject('/readyz')).statusCode).toBe(200);
    await server.close();
  });
});
