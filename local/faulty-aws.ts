/**
 * Stands in front of the emulated AWS and does to chosen calls what the real AWS and the network on the way
 * to it may do.
 *
 * @module
 */

import { once } from 'node:events';
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** As the header `x-amz-target` calls them; S3 sends none. */
const SERVICES = {
  kms: 'TrentService',
  dynamodb: 'DynamoDB_20120810',
  'secrets-manager': 'secretsmanager',
} as const;

export type Harm =
  /** AWS refuses, by the name of its error. */
  | { readonly answer: string }
  | { readonly slowByMs: number }
  /** The call does not arrive. */
  | 'cut before'
  /** The call is done, and its answer does not arrive. */
  | 'cut after'
  /** Of a batch write every second item is done, and the others come back as unprocessed. */
  | 'half';

export interface Fault {
  /** @default all */
  readonly service?: keyof typeof SERVICES;
  /** @default all of the service */
  readonly action?: string;
  /** So many calls, then it is over. @default until it is lifted */
  readonly times?: number;
  /** Of the calls that fit, from 0 to 1: every second for 0.5. @default 1 */
  readonly share?: number;
  readonly harm: Harm;
}

export interface FaultyAws {
  readonly endpoint: string;
  /** A later one goes before an earlier. @returns Lifts it, and says how many calls it hit. */
  set(fault: Fault): () => number;
  /** How many calls of this action came, hit or not. */
  calls(action: string): number;
  /** Cuts the connections that are open: whoever goes on has to make new ones. */
  cut(): void;
  stop(): Promise<void>;
}

interface ActiveFault {
  readonly fault: Fault;
  fitted: number;
  hit: number;
}

export async function startFaultyAws(endpointUrl: string): Promise<FaultyAws> {
  const faults: ActiveFault[] = [];
  const counted = new Map<string, number>();
  const upstream = new URL(endpointUrl);
  const server = createServer((incoming, response) => {
    const [target = '', action = ''] = String(incoming.headers['x-amz-target'] ?? '').split('.');
    counted.set(action, (counted.get(action) ?? 0) + 1);
    const dated = incoming.headers['x-amz-date'];
    if (typeof dated === 'string' && isFarFromNow(dated))
      return refuse(response, 'InvalidSignatureException');
    const harm = faults.toReversed().find((each) => hits(each, target, action))?.fault.harm;
    void answer(upstream, incoming, response, harm).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    set(fault) {
      const active = { fault, fitted: 0, hit: 0 };
      faults.push(active);
      return () => {
        faults.splice(faults.indexOf(active), 1);
        return active.hit;
      };
    },
    calls: (action) => counted.get(action) ?? 0,
    cut: () => server.closeAllConnections(),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** AWS takes no signature that is older or younger than this; the emulator does not look. */
const DATED_WITHIN_MS = 5 * 60_000;

/** @param dated - `20261129T150612Z`. */
function isFarFromNow(dated: string): boolean {
  const signedAt = Date.parse(dated.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5'));
  return !(Math.abs(signedAt - Date.now()) <= DATED_WITHIN_MS);
}

/** Counts the call where it fits. */
function hits(active: ActiveFault, target: string, action: string): boolean {
  const { service, action: wanted, times = Number.POSITIVE_INFINITY, share = 1 } = active.fault;
  const fits =
    (service === undefined || target === SERVICES[service]) && (wanted === undefined || wanted === action);
  if (!fits || active.hit >= times) return false;
  active.fitted += 1;
  if (Math.floor(active.fitted * share) === Math.floor((active.fitted - 1) * share)) return false;
  active.hit += 1;
  return true;
}

async function answer(
  upstream: URL,
  incoming: IncomingMessage,
  response: ServerResponse,
  harm: Harm | undefined,
): Promise<void> {
  if (harm === 'cut before') return void response.destroy();
  const body = await bytesOf(incoming);
  if (harm === undefined) return relay(await pass(upstream, incoming, body), response);
  if (harm === 'half') return await passHalf(upstream, incoming, response, body);
  if (harm === 'cut after') {
    await bytesOf(await pass(upstream, incoming, body));
    return void response.destroy();
  }
  if ('answer' in harm) return refuse(response, harm.answer);
  await sleep(harm.slowByMs);
  relay(await pass(upstream, incoming, body), response);
}

function refuse(response: ServerResponse, errorName: string): void {
  response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': errorName });
  response.end(JSON.stringify({ __type: errorName, message: `refused with ${errorName}` }));
}

type BatchWrite = Record<'RequestItems', Record<string, unknown[]>>;

async function passHalf(
  upstream: URL,
  incoming: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
): Promise<void> {
  const { RequestItems } = JSON.parse(body.toString()) as BatchWrite;
  const every = (keep: 0 | 1): Record<string, unknown[]> =>
    Object.fromEntries(
      Object.entries(RequestItems)
        .map(([table, items]) => [table, items.filter((_, index) => index % 2 === keep)] as const)
        .filter(([, items]) => items.length > 0),
    );
  const done = Buffer.from(JSON.stringify({ RequestItems: every(0) }));
  await bytesOf(await pass(upstream, incoming, done));
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
  response.end(JSON.stringify({ UnprocessedItems: every(1) }));
}

async function pass(upstream: URL, incoming: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
  const { method, url, headers } = incoming;
  const { 'transfer-encoding': _, ...kept } = headers;
  const onward = forward({
    host: upstream.hostname,
    port: upstream.port,
    method,
    path: url,
    headers: { ...kept, 'content-length': String(body.length) },
  });
  onward.end(body);
  const [received] = (await once(onward, 'response')) as [IncomingMessage];
  return received;
}

function relay(received: IncomingMessage, response: ServerResponse): void {
  response.writeHead(received.statusCode ?? 502, received.headers);
  received.pipe(response);
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
