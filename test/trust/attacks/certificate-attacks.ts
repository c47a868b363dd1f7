import {
  ago,
  CLIENT_AUTH,
  createTestHierarchy,
  DAY_MS,
  issueCertificate,
  issueLeaf,
  SERVER_AUTH,
  type Authority,
  type CertificateWish,
  type TestHierarchy,
} from '../../support/issue-certificate.ts';
import { alike, type Attempt } from './attack.ts';
import { handshake, shown } from './handshake.ts';
import type { TlsTarget } from './target.ts';

const ORDER = 'order.tokenmesh.internal';

/** Shows a leaf of the clients' CA that is a member's but for this. */
const leaf =
  (wish: () => Partial<CertificateWish>): Attempt<TlsTarget> =>
  async (target) => {
    const issued = await issueLeaf(target.clients.subordinate, ORDER, wish());
    return await handshake(target, shown(issued, target.clients.chain));
  };

const named = (...dnsNames: string[]): Attempt<TlsTarget> => leaf(() => ({ dnsNames }));

/** Shows a member's leaf of a hierarchy of the attacker's own. */
const of =
  (make: (target: TlsTarget) => Promise<TestHierarchy>): Attempt<TlsTarget> =>
  async (target) => {
    const { subordinate, chain } = await make(target);
    return await handshake(target, shown(await issueLeaf(subordinate, ORDER), chain));
  };

const UNTRUSTED = alike<TlsTarget>("the clients' CA alone says who is a member", 'refused: unknown_ca', [
  ['no certificate', async (target) => await handshake(target, {}), 'refused: certificate_required'],
  ["a member's name under the servers' CA", of(async ({ servers }) => servers)],
  [
    "the tokenizer's own server certificate as a client's",
    async (target) => {
      const issued = await issueLeaf(target.servers.subordinate, target.name, {
        extendedKeyUsage: [SERVER_AUTH],
      });
      return await handshake(target, shown(issued, target.servers.chain));
    },
  ],
  [
    'a CA of the same names and another key',
    of(async () => await createTestHierarchy('clients')),
    'refused: decrypt_error',
  ],
  [
    "signed by itself, with a member's name",
    async (target) => {
      const own = await issueCertificate({
        commonName: ORDER,
        dnsNames: [ORDER],
        extendedKeyUsage: [CLIENT_AUTH],
      });
      return await handshake(target, shown(own, ''));
    },
  ],
  [
    "a member's leaf without its intermediate",
    async (target) => await handshake(target, shown(await issueLeaf(target.clients.subordinate, ORDER), '')),
  ],
  ['signed by the leaf of another member', signedByMember],
  ['at the end of a hundred CAs', async (target) => await underCas(target, 100)],
]);

const JUDGED = alike<TlsTarget>(
  'a leaf is in its time, for clients and on P-256',
  'refused: certificate_expired',
  [
    ['expired an hour ago', leaf(() => ({ notBefore: ago(2 * DAY_MS), notAfter: ago(DAY_MS / 24) }))],
    ['valid from tomorrow on', leaf(() => ({ notBefore: ago(-DAY_MS) }))],
    ["a CA's certificate as a leaf", leaf(() => ({ isCa: true })), 'refused: illegal_parameter'],
    [
      "a server's usage alone",
      leaf(() => ({ extendedKeyUsage: [SERVER_AUTH] })),
      'refused: unsupported_certificate',
    ],
    [
      'a key of RSA-2048, for which OpenSSL finds no signature to make',
      leaf(() => ({ rsaBits: 2048 })),
      'refused: certificate_required',
    ],
    ['a key on P-384', leaf(() => ({ curve: 'P-384' })), 'refused: certificate_required'],
    [
      'a certificate of 200 kB',
      leaf(() => ({ dnsNames: [ORDER, ...manyNames(4_000)] })),
      'refused: illegal_parameter',
    ],
  ],
);

const NAMES = alike<TlsTarget>("a member's name, exactly", 'refused: certificate_unknown', [
  ['no name but the common name', named()],
  ['a name of no member', named('stranger.tokenmesh.internal')],
  ['the same node of another mesh', named('order.othermesh.internal')],
  ['a NUL after the name, and more', named(`${ORDER}\0.example.com`)],
  ['a NUL after the name', named(`${ORDER}\0`)],
  ['the name with a trailing dot', named(`${ORDER}.`)],
  ['a name in front of the name', named(`x.${ORDER}`)],
  ['a name behind the name', named(`${ORDER}.example.com`)],
  ['a space before the name', named(` ${ORDER}`)],
]);

const LENIENT = alike<TlsTarget>('whoever is let in by a looser name has no right', 'answered 403', [
  ['a wildcard for all members', named('*.tokenmesh.internal')],
  ['the name in capitals', named(ORDER.toUpperCase())],
]);

export const CERTIFICATE_ATTACKS = [...UNTRUSTED, ...JUDGED, ...NAMES, ...LENIENT];

function manyNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${index}.a-name-as-long-as-it-may-well-be.example.com`);
}

async function signedByMember(target: TlsTarget): Promise<string> {
  const member = await issueLeaf(target.clients.subordinate, ORDER);
  const issued = await issueLeaf(member, 'paybill.tokenmesh.internal');
  return await handshake(target, shown(issued, member.certificate + target.clients.chain));
}

async function underCas(target: TlsTarget, count: number): Promise<string> {
  let issuer: Authority = target.clients.subordinate;
  let chain = target.clients.chain;
  for (let index = 0; index < count; index += 1) {
    issuer = await issueCertificate({ commonName: `ca ${index}`, isCa: true, issuer });
    chain = issuer.certificate + chain;
  }
  return await handshake(target, shown(await issueLeaf(issuer, ORDER), chain));
}
