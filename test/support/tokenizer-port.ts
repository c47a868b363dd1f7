/**
 * The tokenizer's mTLS port of a running mesh, called from outside: with curl, with openssl, and over
 * connections that are kept.
 *
 * @module
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { identityFiles } from '../../operator/identities.ts';
import { nodeState, type RunState } from '../../operator/run-state.ts';
import { command, type Output } from './running-mesh.ts';

const TOKENIZER = 'tokenizer';

/** Asks for the health of the tokenizer with curl, as whoever the options say. */
export async function curl(state: RunState, ...options: string[]): Promise<Output> {
  const { listener, identity } = nodeState(state, TOKENIZER);
  return await command('curl', [
    ...['--silent', '--show-error', '--max-time', '10'],
    ...['--cacert', identityFiles(state, 'order', 'client').trust],
    ...['--resolve', `${identity}:${listener.port}:${listener.host}`],
    ...['--write-out', '\n%{http_code}', ...options, `https://${identity}:${listener.port}/healthz`],
  ]);
}

/** The options that give a tool a client certificate. */
export function certificateOption(tool: 'curl' | 'openssl', chain: string, key: string): string[] {
  return tool === 'curl'
    ? ['--cert', chain, '--key', key]
    : ['-cert', chain, '-cert_chain', chain, '-key', key];
}

/** The same for the certificate in a folder. */
export function certificateIn(directory: string, tool: 'curl' | 'openssl'): string[] {
  return certificateOption(tool, join(directory, 'chain.pem'), join(directory, 'key.pem'));
}

/** Asks for the health of the tokenizer with `openssl s_client`. */
export async function sClient(state: RunState, ...options: string[]): Promise<Output> {
  const { listener, identity } = nodeState(state, TOKENIZER);
  const trust = identityFiles(state, 'order', 'client').trust;
  return await command(
    'openssl',
    [
      ...['s_client', '-connect', `${listener.host}:${listener.port}`],
      ...['-servername', identity, '-verify_hostname', identity],
      ...['-CAfile', trust, '-verify_return_error', '-ign_eof', ...options],
    ],
    {},
    `GET /healthz HTTP/1.1\r\nhost: ${identity}\r\nconnection: close\r\n\r\n`,
  );
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly document: Record<string, unknown>;
}

export type Call = [
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: string,
  mediaType?: string,
];

/** Calls the tokenizer over mutual TLS as a node, with any body and media type. */
export async function callTokenizerAs(
  state: RunState,
  node: string,
  ...[method, path, body, mediaType]: Call
): Promise<Answer> {
  const dispatcher = connectAs(state, node);
  const headers = { 'content-type': mediaType ?? 'application/json' };
  const answer = await request(`${urlOf(state)}${path}`, {
    dispatcher,
    method,
    ...(body === undefined ? {} : { body, headers }),
  });
  const text = await answer.body.text();
  await dispatcher.close();
  return {
    status: answer.statusCode,
    type: String(answer.headers['content-type']),
    document: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  };
}

function connectAs(state: RunState, node: string, options: Agent.Options = {}): Agent {
  const files = identityFiles(state, node, 'client');
  const read = (file: string): string => readFileSync(file, 'utf8');
  const { identity } = nodeState(state, TOKENIZER);
  return new Agent({
    pipelining: 1,
    ...options,
    connect: { cert: read(files.chain), key: read(files.key), ca: read(files.trust), servername: identity },
  });
}

function urlOf(state: RunState): string {
  const { listener } = nodeState(state, TOKENIZER);
  return `https://${listener.host}:${listener.port}`;
}

export interface Load {
  /** Resolves once the connections are in use. */
  readonly warm: Promise<void>;
  stop(): Promise<{ answered: number; failures: readonly string[]; seconds: number }>;
}

/**
 * Requests as order, on so many connections at a time, through the tokenizer's listener to its app. Half
 * of them are kept, and half are made anew for each request, so that there are handshakes at any moment.
 *
 * @param stored - The body that one connection in eight stores; the others ask for the health. The store
 *   is the emulator, which would otherwise be the limit of all of them.
 */
export function startLoad(state: RunState, connections: number, stored: string): Load {
  const kept = connectAs(state, 'order', { connections });
  const url = urlOf(state);
  const failures: string[] = [];
  const ended = new AbortController();
  const warm = Promise.withResolvers<void>();
  const started = performance.now();
  const store = { method: 'POST', headers: { 'content-type': 'application/json' }, body: stored } as const;
  let answered = 0;
  const worker = async (number: number): Promise<void> => {
    const stores = number % 8 < 2;
    const reset = number % 2 === 0;
    // Over HTTP/2 a connection cannot be ended by a request.
    const dispatcher = reset ? connectAs(state, 'order', { allowH2: false }) : kept;
    while (!ended.signal.aborted) {
      try {
        const answer = stores
          ? await request(`${url}/v1/tokens`, { dispatcher, reset, ...store })
          : await request(`${url}/healthz`, { dispatcher, reset });
        await answer.body.dump();
        if (answer.statusCode !== (stores ? 201 : 200)) failures.push(String(answer.statusCode));
        answered += 1;
        if (answered > 200) warm.resolve();
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }
    if (reset) await dispatcher.close();
  };
  const workers = Promise.all(Array.from({ length: connections }, (_, number) => worker(number)));
  return {
    warm: warm.promise,
    async stop() {
      ended.abort();
      await workers;
      await kept.close();
      return { answered, failures, seconds: (performance.now() - started) / 1000 };
    },
  };
}
