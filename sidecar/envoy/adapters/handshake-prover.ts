import { connect } from 'node:tls';
import { request, type Dispatcher } from 'undici';
import { PEER_CHECK, PEER_SERIAL_HEADER } from '../../../mesh/envoy/inbound.ts';
import { PEER_CHECK_HOST } from '../../../mesh/envoy/outbound.ts';
import type { SocketAddress } from '../../../mesh/envoy/types.ts';
import { normalizeSerial } from '../../../pki/secret.ts';
import type { OwnMaterial, Prover } from '../cert-agent/ports.ts';

const HANDSHAKE_DEADLINE_MS = 2_000;

/**
 * Proves by connecting.
 *
 * Server: a TLS handshake with the node's own listener, under the node's own client certificate.
 * Client: a request through this Envoy over a connection made for it, whose far end says which serial
 * it saw. Envoy's `/certs` would only say what is loaded.
 */
export function handshakeProver(listener: SocketAddress, identity: string, egress: Dispatcher): Prover {
  return {
    async servedSerial(role, own) {
      try {
        return role === 'server' ? await serverSerial(listener, identity, own) : await clientSerial(egress);
      } catch {
        return undefined;
      }
    },
  };
}

async function serverSerial(
  listener: SocketAddress,
  identity: string,
  own: OwnMaterial,
): Promise<string | undefined> {
  const { client } = own;
  const credentials =
    client === undefined
      ? {}
      : {
          cert: `${client.secret.certificate.trim()}\n${client.secret.chain.trim()}\n`,
          key: client.secret.encryptedPrivateKey,
          passphrase: client.passphrase.reveal(),
        };
  return await new Promise((resolve, reject) => {
    const socket = connect({
      host: listener.host === '0.0.0.0' ? '127.0.0.1' : listener.host,
      port: listener.port,
      servername: identity,
      ca: own.trust,
      minVersion: 'TLSv1.3',
      timeout: HANDSHAKE_DEADLINE_MS,
      ...credentials,
    });
    socket.once('secureConnect', () => {
      const serial = socket.getPeerX509Certificate()?.serialNumber;
      socket.end();
      resolve(serial === undefined ? undefined : normalizeSerial(serial));
    });
    socket.once('timeout', () => socket.destroy(new Error('handshake timed out')));
    socket.once('error', reject);
  });
}

async function clientSerial(egress: Dispatcher): Promise<string | undefined> {
  const { headers, body } = await request(`http://${PEER_CHECK_HOST}${PEER_CHECK.path}`, {
    dispatcher: egress,
    headersTimeout: HANDSHAKE_DEADLINE_MS,
  });
  await body.dump();
  const serial = headers[PEER_SERIAL_HEADER];
  return typeof serial === 'string' && serial !== '' ? normalizeSerial(serial) : undefined;
}
