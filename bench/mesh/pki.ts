/**
 * The certificates of a bench: both hierarchies and a leaf for each node and role, on P-256, made here.
 *
 * @module
 */

import 'reflect-metadata';
import { KeyObject, randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { CertificateRole, Hierarchy, Mesh } from '../../mesh/definition.ts';
import type { TlsCertificateSecret } from '../../mesh/envoy/sds.ts';
import { hierarchyOf, identityOf } from '../../mesh/identity.ts';

x509.cryptoProvider.set(webcrypto);

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const USES: Readonly<Record<CertificateRole, string>> = {
  server: '1.3.6.1.5.5.7.3.1',
  client: '1.3.6.1.5.5.7.3.2',
};
const LIFE_MS = 86_400_000;
const PASSPHRASE_BYTES = 24;

interface Issued {
  readonly commonName: string;
  readonly pem: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

export interface BenchPki {
  /** The root of each hierarchy, PEM. */
  readonly roots: Readonly<Record<Hierarchy, string>>;
  leaf(nodeName: string, role: CertificateRole): Promise<TlsCertificateSecret>;
}

export async function createBenchPki(mesh: Mesh): Promise<BenchPki> {
  const [clients, servers] = await Promise.all([issueRoot('clients'), issueRoot('servers')]);
  const hierarchies = { clients, servers };
  return {
    roots: { clients: clients.root.pem, servers: servers.root.pem },
    async leaf(nodeName, role) {
      const { root, subordinate } = hierarchies[hierarchyOf(role)];
      const name = identityOf(mesh, nodeName);
      const issued = await issue(name, subordinate, [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([USES[role]]),
        new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
      ]);
      const passphrase = randomBytes(PASSPHRASE_BYTES).toString('hex');
      return {
        certificateChain: issued.pem + subordinate.pem + root.pem,
        encryptedPrivateKey: KeyObject.from(issued.keys.privateKey)
          .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase })
          .toString(),
        passphrase,
      };
    },
  };
}

async function issueRoot(name: Hierarchy): Promise<{ readonly root: Issued; readonly subordinate: Issued }> {
  const root = await issue(`bench ${name} root`, undefined, AUTHORITY);
  return { root, subordinate: await issue(`bench ${name} issuing`, root, AUTHORITY) };
}

const AUTHORITY = [
  new x509.BasicConstraintsExtension(true, undefined, true),
  new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
];

async function issue(
  commonName: string,
  issuer: Issued | undefined,
  extensions: x509.Extension[],
): Promise<Issued> {
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: `4f${randomBytes(15).toString('hex')}`,
    subject: `CN=${commonName}`,
    issuer: `CN=${issuer?.commonName ?? commonName}`,
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + LIFE_MS),
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: P256,
    extensions,
  });
  return { commonName, pem: `${certificate.toString('pem')}\n`, keys };
}
