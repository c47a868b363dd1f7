/**
 * Connections that the operator makes to see for himself: the only proof that silence cannot give.
 *
 * @module
 */

import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { SocketAddress } from '../../mesh/envoy/types.ts';
import type { ProbeOutcome } from '../checks/seen.ts';

const DEADLINE_MS = 3_000;

export interface Credentials {
  readonly cert: string;
  readonly key: string;
}

export interface TlsProbe {
  readonly listener: SocketAddress;
  /** The name that the listener must prove. */
  readonly servername: string;
  readonly trust: string;
  readonly path: string;
  readonly credentials?: Credentials;
  /** The highest version offered; 1.3 unless said. */
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/**
 * Sends one request over TLS. Under TLS 1.3 a refused client certificate shows at the first read, not
 * in the handshake, so the answer is what counts.
 */
export async function probeTls(probe: TlsProbe): Promise<ProbeOutcome> {
  const options: ConnectionOptions = {
    host: probe.listener.host,
    port: probe.listener.port,
    servername: probe.servername,
    ca: probe.trust,
    minVersion: 'TLSv1.2',
    maxVersion: probe.maxVersion ?? 'TLSv1.3',
    ALPNProtocols: ['http/1.1'],
    ...probe.credentials,
  };
  return await exchange(() => connectTls(options), 'secureConnect', probe);
}

/** Sends one request in the clear. */
export async function probePlaintext(
  listener: SocketAddress,
  host: string,
  path: string,
): Promise<ProbeOutcome> {
  return await exchange(() => connectPlain(listener), 'connect', { servername: host, path });
}

async function exchange(
  open: () => Socket | TLSSocket,
  connected: 'secureConnect' | 'connect',
  request: { readonly servername: string; readonly path: string },
): Promise<ProbeOutcome> {
  return await new Promise((resolve) => {
    let received = '';
    const socket = open();
    let shown: { tls?: string; serial?: string } = {};
    const refuse = (reason: string): void => finish({ outcome: 'refused', reason, ...shown });
    const finish = (outcome: ProbeOutcome): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.setTimeout(DEADLINE_MS, () => refuse('no answer'));
    socket.once(connected, () => {
      shown = tlsFacts(socket);
      socket.write(
        `GET ${request.path} HTTP/1.1\r\nhost: ${request.servername}\r\nconnection: close\r\n\r\n`,
      );
    });
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      const status = /^HTTP\/1\.1 (\d{3})/.exec(received)?.[1];
      if (status !== undefined) finish({ outcome: 'answered', status: Number(status), ...shown });
    });
    socket.once('error', (error: NodeJS.ErrnoException) => refuse(error.code ?? error.name));
    socket.once('close', () => refuse('closed without an answer'));
  });
}

/** May be asked once: node gives the certificate of the peer to the first who asks. */
function tlsFacts(socket: Socket | TLSSocket): { tls?: string; serial?: string } {
  if (!('getPeerX509Certificate' in socket)) return {};
  const serial = socket.getPeerX509Certificate()?.serialNumber;
  return { tls: socket.getProtocol() ?? 'none', ...(serial === undefined ? {} : { serial }) };
}
