/** Attacks by a server that stands where the tokenizer is thought to be: order's own Envoy calls it. */

import { once } from 'node:events';
import { createSecureServer } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import type { SecureVersion } from 'node:tls';
import {
  ago,
  CLIENT_AUTH,
  createTestHierarchy,
  DAY_MS,
  issueCertificate,
  issueLeaf,
  SERVER_AUTH,
  type CertificateWish,
  type Issued,
  type TestHierarchy,
} from '../../support/issue-certificate.ts';
import type { EnvoyMesh } from '../../support/envoy-mesh.ts';
import { alike, type Attempt } from './attack.ts';

/** Two Envoys of which the second has ended, so that its address is free for whoever comes. */
export interface ImpostorTarget {
  readonly envoys: EnvoyMesh;
  readonly port: number;
}

const NAME = 'tokenizer.tokenmesh.internal';
const CALLED_WITHIN_MS = 30_000;

interface Proof {
  readonly issued: Issued;
  readonly chain: string;
  readonly versions?: { readonly minVersion: SecureVersion; readonly maxVersion: SecureVersion };
}

/** Calls by order's Envoy until it has come to the server. @returns The answer, and what the server was sent. */
async function called({ envoys, port }: ImpostorTarget, server: Server, requests: () => number) {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => {});
    sockets.add(socket);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  try {
    const started = performance.now();
    for (;;) {
      const { status, body } = await envoys.call('order', 'http://tokenizer/v1/tokens', { method: 'POST' });
      // A server that failed before may be left out for a while, and then this is no answer of the handshake.
      if (sockets.size > 0) {
        const code = /ERR_[A-Z_]+/.exec(body)?.[0];
        return `${[status, code].join(' ').trim()}, ${requests() === 0 ? 'no request' : 'a request'} sent`;
      }
      if (performance.now() - started > CALLED_WITHIN_MS) return 'never called';
    }
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  }
}

async function calledAs(target: ImpostorTarget, { issued, chain, versions }: Proof): Promise<string> {
  let requests = 0;
  const server = createSecureServer(
    {
      key: issued.key.export({ type: 'pkcs8', format: 'pem' }),
      cert: issued.certificate + chain,
      allowHTTP1: true,
      ...versions,
    },
    (_, response) => {
      requests += 1;
      response.end('{}');
    },
  );
  server.on('sessionError', () => {});
  return await called(target, server, () => requests);
}

/** A leaf of the servers' CA that is the tokenizer's but for this. */
const leaf =
  (wish: Partial<CertificateWish> = {}, versions?: Proof['versions']): Attempt<ImpostorTarget> =>
  async (target) => {
    const { subordinate, chain } = target.envoys.hierarchies.servers;
    const issued = await issueLeaf(subordinate, NAME, wish);
    return await calledAs(target, { issued, chain, ...(versions === undefined ? {} : { versions }) });
  };

const of =
  (make: (target: ImpostorTarget) => Promise<TestHierarchy> | TestHierarchy): Attempt<ImpostorTarget> =>
  async (target) => {
    const { subordinate, chain } = await make(target);
    return await calledAs(target, { issued: await issueLeaf(subordinate, NAME), chain });
  };

async function signedByItself(target: ImpostorTarget): Promise<string> {
  const wish = { commonName: NAME, dnsNames: [NAME], extendedKeyUsage: [SERVER_AUTH] };
  return await calledAs(target, { issued: await issueCertificate(wish), chain: '' });
}

async function inClear(target: ImpostorTarget): Promise<string> {
  let heard = '';
  const server = createServer((socket) =>
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}');
    }),
  );
  return await called(target, server, () => Number(heard.includes('/v1/tokens')));
}

/** What every attack is held against: with nothing wrong, the server is called. */
export const honestServer: Attempt<ImpostorTarget> = leaf();

export const IMPOSTOR_ATTACKS = alike<ImpostorTarget>(
  'a caller sends nothing to a server that does not prove the name it asked for',
  '503 ERR_BACKEND_UNAVAILABLE, no request sent',
  [
    ["the tokenizer's name under the clients' CA", of(({ envoys }) => envoys.hierarchies.clients)],
    ['a CA of the same names and another key', of(async () => await createTestHierarchy('servers'))],
    ['signed by itself', signedByItself],
    ["another member's server certificate", leaf({ dnsNames: ['paybill.tokenmesh.internal'] })],
    ['no name but the common name', leaf({ dnsNames: [] })],
    ['the same node of another mesh', leaf({ dnsNames: ['tokenizer.othermesh.internal'] })],
    ['a NUL after the name, and more', leaf({ dnsNames: [`${NAME}\0.example.com`] })],
    ['a name in front of the name', leaf({ dnsNames: [`x.${NAME}`] })],
    ['expired an hour ago', leaf({ notBefore: ago(2 * DAY_MS), notAfter: ago(DAY_MS / 24) })],
    ['valid from tomorrow on', leaf({ notBefore: ago(-DAY_MS) })],
    ["a client's usage alone", leaf({ extendedKeyUsage: [CLIENT_AUTH] })],
    ["a CA's certificate as a leaf", leaf({ isCa: true })],
    ['TLS 1.2', leaf({}, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' })],
    ['HTTP in clear', inClear],
  ],
);
