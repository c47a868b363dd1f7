/**
 * The load generator: a process of its own, so that the bench's own work is not in its way. Asked for one
 * load at a time over a Unix socket, it sends it with autocannon and answers with what came back.
 *
 * @module
 */

import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import autocannon, { type Client, type Request, type Result } from 'autocannon';
import { stopOnSignal } from '../../runtime/lifecycle.ts';
import { operationOf, type OperationName } from './operations.ts';
import { percentile } from './statistics.ts';

const TIMEOUT_SECONDS = 40;

/** Bodies of one connection, sent one after the other again and again: no two connections share one. */
const BODIES: Readonly<Record<'one' | 'batch', number>> = { one: 16, batch: 3 };

export interface LoadOrder {
  readonly operation: OperationName;
  readonly url: string;
  /** @default the host and port of the URL */
  readonly socketPath?: string;
  readonly connections: number;
  /** Requests in all; each connection sends its share. */
  readonly amount: number;
  /** What detokenize asks for. */
  readonly tokens: readonly string[];
  /** Whether the time of each answer is told. */
  readonly isTimed?: boolean;
}

/** The answers of one status. */
export interface StatusResult {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly statuses: Readonly<Record<string, StatusResult>>;
  /** Connections that failed, and requests that were never answered. */
  readonly errors: number;
  /** Batches with an error among their results. */
  readonly mismatches: number;
  /** From the first request to the last answer. */
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** When each answer came, in milliseconds since 1970, and how long it took. */
  readonly timed?: readonly (readonly [atMs: number, tookMs: number])[];
}

/** Made once for a connection; each connection begins at another token. */
function requestsOf(order: LoadOrder, connection: number): Request[] {
  const operation = operationOf(order.operation);
  const count = BODIES[operation.items === 1 ? 'one' : 'batch'];
  let next = connection * count * operation.items;
  const token = (): string => order.tokens[next++ % order.tokens.length] ?? '';
  return Array.from({ length: count }, () => ({
    method: 'POST',
    path: operation.path,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(operation.body(token)),
  }));
}

async function send(order: LoadOrder): Promise<LoadResult> {
  const { promise, resolve, reject } = Promise.withResolvers<Result>();
  const took = new Float64Array(order.amount);
  const statuses = new Uint16Array(order.amount);
  const at = new Float64Array(order.isTimed === true ? order.amount : 0);
  let answers = 0;
  let connection = 0;
  let startedAt = performance.now();
  let endedAt = startedAt;
  const { url, socketPath, connections, amount } = order;
  const run = autocannon(
    {
      ...{ url, connections, amount, timeout: TIMEOUT_SECONDS, sampleInt: 20 },
      ...(socketPath === undefined ? {} : { socketPath }),
      setupClient: (client: Client) => client.setRequests(requestsOf(order, connection++)),
      ...(operationOf(order.operation).items === 1
        ? {}
        : { verifyBody: (body: string) => !body.includes('"error"') }),
    },
    (error, result) => (error === null ? resolve(result) : reject(error)),
  );
  run.on('start', () => (startedAt = performance.now()));
  run.on('response', (_client: unknown, status: number, _bytes: number, tookMs: number) => {
    endedAt = performance.now();
    took[answers] = tookMs;
    statuses[answers] = status;
    if (order.isTimed === true) at[answers] = performance.timeOrigin + endedAt;
    answers += 1;
  });
  const { errors, mismatches } = await promise;
  const timed = Array.from(at.subarray(0, answers), (each, index) => [each, took[index] ?? 0] as const);
  const sorted = took.slice(0, answers).sort();
  return {
    requests: answers,
    statuses: byStatus(statuses.subarray(0, answers), took),
    errors,
    mismatches,
    seconds: (endedAt - startedAt) / 1_000,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    ...(order.isTimed === true ? { timed } : {}),
  };
}

function byStatus(statuses: Uint16Array, took: Float64Array): Record<string, StatusResult> {
  const result: Record<string, StatusResult> = {};
  for (const status of new Set(statuses)) {
    const sorted = took.filter((_, index) => statuses[index] === status).sort();
    const [p50Ms, p99Ms] = [percentile(sorted, 0.5), percentile(sorted, 0.99)];
    result[status] = { count: sorted.length, p50Ms, p99Ms };
  }
  return result;
}

const server = createServer((request, response) => {
  json(request)
    .then(async (order) => await send(order as LoadOrder))
    .then((result) => response.end(JSON.stringify(result)))
    .catch((error: unknown) => {
      response.statusCode = 500;
      response.end(error instanceof Error ? error.message : String(error));
    });
});
// A load takes as long as it takes.
server.requestTimeout = 0;
stopOnSignal(async () => void server.close());
server.listen(process.env['GENERATOR_SOCKET']);
