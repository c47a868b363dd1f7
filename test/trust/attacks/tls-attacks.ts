import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { connect, createServer as createTlsServer, type ConnectionOptions } from 'node:tls';
import { clearKey, issueLeaf } from '../../support/issue-certificate.ts';
import { alike, type Attack, type Attempt } from './attack.ts';
import { handshake, healthRequest, oddHandshake, plainBytes } from './handshake.ts';
import type { TlsTarget } from './target.ts';

/** As a member would, but for this. */
const withOptions =
  (options: ConnectionOptions): Attempt<TlsTarget> =>
  async (target) =>
    await handshake(target, { ...target.member, ...options });

/** As a member would by tlslite-ng, but for this. */
const odd =
  (options: object): Attempt<TlsTarget> =>
  async (target) =>
    await oddHandshake(target, target.member, options);

const upTo12 = { minVersion: [3, 1], maxVersion: [3, 3] };
const only = (minor: number): object => ({ minVersion: [3, minor], maxVersion: [3, minor] });

const VERSIONS = alike<TlsTarget>('TLS 1.3 alone', 'refused: protocol_version', [
  ['SSL 3.0', odd(only(0))],
  ['TLS 1.0', odd(only(1))],
  ['TLS 1.1', odd(only(2))],
  ['TLS 1.2', odd(only(3))],
  ['TLS 1.2 with RC4', odd({ ...upTo12, cipherNames: ['rc4'], macNames: ['sha'] })],
  ['TLS 1.2 with 3DES', odd({ ...upTo12, cipherNames: ['3des'], macNames: ['sha'] })],
  ['TLS 1.2 with no encryption', odd({ ...upTo12, cipherNames: ['null'], macNames: ['sha'] })],
  ['TLS 1.2 with CBC', odd({ ...upTo12, cipherNames: ['aes128'], macNames: ['sha'] })],
]);

const PRIMITIVES = alike<TlsTarget>('ECDHE, and AEADs with a whole tag', 'refused: handshake_failure', [
  ['a suite with a short tag (CCM_8)', odd({ cipherNames: ['aes128ccm_8'] })],
  [
    'finite-field Diffie-Hellman alone (ffdhe2048)',
    odd({ eccCurves: ['secp521r1'], keyShares: ['ffdhe2048'], dhGroups: ['ffdhe2048'] }),
  ],
  ['P-521 alone', odd({ eccCurves: ['secp521r1'], keyShares: ['secp521r1'], dhGroups: [] })],
  ['signatures of RSA alone', withOptions({ sigalgs: 'rsa_pss_rsae_sha256:rsa_pkcs1_sha256' })],
]);

const PROOFS = alike<TlsTarget>('a certificate counts with its key alone', 'refused: decrypt_error', [
  [
    "the key of another with a member's certificate",
    async (target) => {
      const other = await issueLeaf(target.clients.subordinate, 'order.tokenmesh.internal');
      return await oddHandshake(target, { ...target.member, key: clearKey(other.key) }, {});
    },
  ],
  ['a spoilt CertificateVerify', odd({ trick: 'a spoilt proof of the key' })],
  ['no CertificateVerify', odd({ trick: 'no proof of the key' }), 'refused: unexpected_message'],
]);

const AFTERWARDS = alike<TlsTarget>(
  'a handshake is made once, and costs it little',
  'refused: unexpected_message',
  [
    ['renegotiation: a second ClientHello', odd({ trick: 'a second hello' })],
    ['a thousand KeyUpdates', odd({ trick: 'a thousand key updates' })],
    ['a hundred thousand empty records', odd({ trick: 'a hundred thousand empty records' })],
  ],
);

const FOREIGN_NAMES = alike<TlsTarget>('SNI chooses nothing', 'answered 200', [
  ["SNI with another member's name", withOptions({ servername: 'paybill.tokenmesh.internal' })],
  ['SNI with a name from outside', withOptions({ servername: 'www.example.com' })],
  ['SNI with a trailing dot', withOptions({ servername: 'tokenizer.tokenmesh.internal.' })],
  ['no SNI', withOptions({ servername: '' })],
]);

const H2_PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

const PROTOCOLS: readonly Attack<TlsTarget>[] = [
  ...alike<TlsTarget>('ALPN chooses h2 or HTTP/1.1, and no protocol without TLS', 'answered 200', [
    ['ALPN spdy/3 and h2c alone', withOptions({ ALPNProtocols: ['spdy/3', 'h2c'] })],
    ['ALPN with two hundred unknown protocols', withOptions({ ALPNProtocols: unknownProtocols(200) })],
    ['HTTP/1.1 after ALPN chose h2', withOptions({ ALPNProtocols: ['h2'] }), 'refused: connection ended'],
    [
      "h2's preface after ALPN chose HTTP/1.1",
      async (target) => await handshake(target, target.member, H2_PREFACE),
      'answered 400',
    ],
  ]),
  ...alike<TlsTarget>('no byte is taken without TLS', 'refused: connection ended', [
    ['HTTP/1.1 in clear', async (target) => await plainBytes(target, healthRequest(target.name))],
    ['h2 in clear', async (target) => await plainBytes(target, H2_PREFACE)],
    ['64 KiB of noise', async (target) => await plainBytes(target, randomBytes(65_536).fill(1, 0, 1))],
    [
      'half a ClientHello, and then nothing (ended in 5 s)',
      async (target) => await plainBytes(target, Buffer.from('16030100c8010000c40303', 'hex')),
    ],
  ]),
];

const RESUMPTION = alike<TlsTarget>('no session is resumed, so each connection proves itself', 'none given', [
  ['waiting for a ticket as a member', ticketsGiven],
  [
    'the session of another server, with no certificate',
    async (target) =>
      await handshake(target, { session: await foreignSession(target), cert: undefined, key: undefined }),
    'refused: certificate_required',
  ],
  ['the session of another server, as a member', resumedAsMember, 'full handshake'],
]);

export const TLS_ATTACKS: readonly Attack<TlsTarget>[] = [
  ...VERSIONS,
  ...PRIMITIVES,
  ...PROOFS,
  ...AFTERWARDS,
  ...RESUMPTION,
  ...FOREIGN_NAMES,
  ...PROTOCOLS,
];

function unknownProtocols(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `unknown/${index}`);
}

async function ticketsGiven(target: TlsTarget): Promise<string> {
  let tickets = 0;
  const socket = connect({ ...address(target), ...target.member });
  socket.on('session', () => (tickets += 1));
  socket.once('secureConnect', () => socket.write(healthRequest(target.name)));
  socket.resume();
  await new Promise((resolve) => socket.once('close', resolve));
  return tickets === 0 ? 'none given' : `${tickets} given`;
}

async function resumedAsMember(target: TlsTarget): Promise<string> {
  const session = await foreignSession(target);
  const socket = connect({ ...address(target), ...target.member, session });
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  const isResumed = socket.isSessionReused();
  socket.destroy();
  return isResumed ? 'resumed' : 'full handshake';
}

function address({ host, port, name, trust }: TlsTarget): ConnectionOptions {
  return { host, port, servername: name, ca: trust, ALPNProtocols: ['http/1.1'] };
}

/** A ticket that a server gave who has the tokenizer's name and a certificate of the same CA, but not its keys. */
async function foreignSession({ servers, name, trust }: TlsTarget): Promise<Buffer> {
  const leaf = await issueLeaf(servers.subordinate, name);
  const server = createTlsServer(
    { cert: leaf.certificate + servers.chain, key: clearKey(leaf.key) },
    (socket) => socket.end('.'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const socket = connect({ host: '127.0.0.1', port, servername: name, ca: trust }).resume();
  const session = await new Promise<Buffer>((resolve) => socket.once('session', resolve));
  socket.destroy();
  server.close();
  return session;
}
