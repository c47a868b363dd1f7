/**
 * Handshakes with a listener as an attacker makes them, each with one line of what came of it.
 *
 * @module
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { clearKey, type Authority } from '../../support/issue-certificate.ts';
import type { Listening } from './target.ts';

const DEADLINE_MS = 8_000;

/** So long may an alert be on its way: under TLS 1.3 the client is done before the server has judged it. */
const ALERT_MS = 200;

export interface Shown {
  readonly cert: string;
  readonly key: string;
}

/** What a client shows: its leaf, and the certificates after it. */
export function shown(leaf: Authority, chain: string): Shown {
  return { cert: leaf.certificate + chain, key: clearKey(leaf.key) };
}

export function healthRequest(host: string): string {
  return `GET /healthz HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`;
}

/**
 * Asks for the health over TLS.
 *
 * @returns `answered <status>`, or `refused: <alert>` in the words of RFC 8446 section 6.
 */
export async function handshake(
  { host, port, name, trust }: Listening,
  options: ConnectionOptions,
  request = healthRequest(name),
): Promise<string> {
  const given = { host, port, servername: name, ca: trust, ALPNProtocols: ['http/1.1'], ...options };
  const socket = connect({ checkServerIdentity: () => undefined, ...given });
  const outcome = outcomeOf(socket);
  socket.once('secureConnect', () => void sleep(ALERT_MS).then(() => socket.write(request)));
  return await outcome;
}

/** Sends bytes without TLS. */
export async function plainBytes({ host, port }: Listening, bytes: Buffer | string): Promise<string> {
  const socket = connectPlain({ host, port });
  const outcome = outcomeOf(socket);
  socket.write(bytes);
  return await outcome;
}

/** Never rejects: how a connection ended is what is asked. */
export async function outcomeOf(socket: Socket | TLSSocket): Promise<string> {
  return await new Promise((resolve) => {
    let received = '';
    const finish = (outcome: string): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.setTimeout(DEADLINE_MS, () => finish('no answer'));
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(received)?.[1];
      if (status !== undefined) finish(`answered ${status}`);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => finish(`refused: ${alertOf(error)}`));
    socket.once('close', () => finish('refused: connection ended'));
  });
}

/** OpenSSL's name of an alert without what it puts before each. */
function alertOf({ code = '' }: NodeJS.ErrnoException): string {
  const named = /^ERR_SSL_[\w/]*?_ALERT_([A-Z_]+)$/.exec(code)?.[1];
  if (named !== undefined) return named.toLowerCase();
  return code === 'ECONNRESET' || code === 'EPIPE' ? 'connection ended' : code;
}

/** A handshake of tlslite-ng, which does what no library of good faith does: handshake.py. */
export async function oddHandshake(
  { python, host, port, name }: Listening,
  { cert: chain, key }: Shown,
  options: object,
): Promise<string> {
  const child = spawn(python, ['-B', join(import.meta.dirname, 'handshake.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stdin.end(JSON.stringify({ host, port, name, chain, key, ...options }));
  await once(child, 'close');
  return said.trim();
}
