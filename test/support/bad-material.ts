/**
 * Everything that may be wrong with what a sidecar is given, each as a change to what stands there.
 *
 * @module
 */

import { chmodSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { SecretDelivery } from '../../mesh/definition.ts';
import {
  CLIENT_AUTH,
  clearKey,
  createTestHierarchy,
  encryptKey,
  issueLeaf,
  type Authority,
  type CertificateWish,
} from './issue-certificate.ts';
import { issueCrl, type CrlWish } from './issue-crl.ts';
import { encryptWithOpenssl } from './openssl.ts';
import {
  certificateText,
  PASSPHRASE,
  type CertificateText,
  type SidecarUnderTest,
} from './sidecar-under-test.ts';

export interface BadMaterial {
  readonly what: string;
  /** The code under which the sidecar refuses it. */
  readonly code: string;
  /** What the sidecar's metric names: the secret, or the lists of a hierarchy. */
  readonly about: 'server' | 'trust-servers' | 'crls-clients';
  /** Where it can come about. */
  readonly deliveries: readonly SecretDelivery[];
  /** Puts it in the place of what is good. Whatever it returns takes back what is not a secret. */
  readonly spoil: (sidecar: SidecarUnderTest) => Promise<void | (() => void)>;
}

const BOTH: readonly SecretDelivery[] = ['sds', 'file'];
const DAY_MS = 86_400_000;

type Change = (sidecar: SidecarUnderTest, good: Authority) => Promise<CertificateText> | CertificateText;

function certificate(what: string, code: string, change: Change): BadMaterial {
  return {
    what,
    code,
    about: 'server',
    deliveries: BOTH,
    spoil: async (sidecar) => {
      const good = await issueLeaf(sidecar.hierarchies.servers.subordinate, sidecar.identity);
      sidecar.secrets.certificates.server = await change(sidecar, good);
    },
  };
}

/** A server certificate with fields of its secret changed. */
function field(what: string, code: string, fields: (leaf: Authority) => Record<string, string>): BadMaterial {
  return certificate(what, code, ({ hierarchies }, good) =>
    certificateText(good, hierarchies.servers.chain, fields(good)),
  );
}

/** A server certificate, whole, that was issued in the wrong way. */
function leaf(what: string, code: string, wish: () => Partial<CertificateWish>): BadMaterial {
  return certificate(what, code, async ({ hierarchies, identity }) => {
    const issued = await issueLeaf(hierarchies.servers.subordinate, identity, wish());
    return certificateText(issued, hierarchies.servers.chain);
  });
}

function trust(what: string, code: string, roots: () => Promise<string>): BadMaterial {
  return {
    what,
    code,
    about: 'trust-servers',
    deliveries: BOTH,
    spoil: async ({ secrets }) => {
      secrets.trust.servers = { version: `bad: ${what}`, roots: await roots() };
    },
  };
}

function crl(what: string, code: string, bytes: (issuing: Authority) => Promise<Uint8Array>): BadMaterial {
  return {
    what,
    code,
    about: 'crls-clients',
    deliveries: BOTH,
    spoil: async ({ hierarchies, secrets, announceCrls }) => {
      const issuing = hierarchies.clients.subordinate;
      secrets.crls.set(`crl/${issuing.commonName}.crl`, await bytes(issuing));
      announceCrls();
    },
  };
}

/** Newer than the one that is held, and yet over. */
const STALE: CrlWish = {
  thisUpdate: new Date(Date.now() - 120_000),
  nextUpdate: new Date(Date.now() - 60_000),
};

export const BAD_MATERIAL: readonly BadMaterial[] = [
  field('garbage in place of the certificate', 'ERR_CERTIFICATE_UNREADABLE', () => ({
    certificate: 'garbage',
  })),
  field('half a certificate', 'ERR_CERTIFICATE_UNREADABLE', ({ certificate: pem }) => ({
    certificate: pem.slice(0, pem.length / 2),
  })),
  field('an empty certificate', 'ERR_SECRET_UNUSABLE', () => ({ certificate: '' })),
  field('an empty key', 'ERR_SECRET_UNUSABLE', () => ({ encryptedPrivateKey: '' })),
  certificate('half a secret', 'ERR_SECRET_UNUSABLE', ({ hierarchies }, good) => {
    const { text, ...rest } = certificateText(good, hierarchies.servers.chain);
    return { ...rest, text: text.slice(0, text.length / 2) };
  }),
  certificate(
    'the key of another certificate',
    'ERR_KEY_MISMATCH',
    async ({ hierarchies, identity }, good) => {
      const other = await issueLeaf(hierarchies.servers.subordinate, identity);
      return certificateText({ ...good, key: other.key }, hierarchies.servers.chain);
    },
  ),
  leaf('an expired certificate', 'ERR_CERTIFICATE_EXPIRED', () => ({
    notBefore: new Date(Date.now() - 2 * DAY_MS),
    notAfter: new Date(Date.now() - DAY_MS),
  })),
  leaf('a certificate that is not valid yet', 'ERR_CERTIFICATE_NOT_YET_VALID', () => ({
    notBefore: new Date(Date.now() + DAY_MS),
  })),
  certificate('a chain without its intermediate', 'ERR_CHAIN_BROKEN', ({ hierarchies }, good) =>
    certificateText(good, hierarchies.servers.root.certificate),
  ),
  leaf("another node's name", 'ERR_NAME_MISMATCH', () => ({ dnsNames: ['paybill.tokenmesh.internal'] })),
  certificate(
    'a certificate of the other hierarchy',
    'ERR_CHAIN_UNTRUSTED',
    async ({ hierarchies, identity }) => {
      const foreign = await issueLeaf(hierarchies.clients.subordinate, identity);
      return certificateText(foreign, hierarchies.clients.chain);
    },
  ),
  leaf("a client's usage alone (EKU)", 'ERR_EXTENDED_KEY_USAGE', () => ({ extendedKeyUsage: [CLIENT_AUTH] })),
  leaf('a key on P-521', 'ERR_KEY_ALGORITHM', () => ({ curve: 'P-521' })),
  leaf('a key of RSA-1024', 'ERR_KEY_TOO_WEAK', () => ({ rsaBits: 1024 })),
  field('a key encrypted with scrypt', 'ERR_KEY_ENCRYPTION', ({ key }) => ({
    encryptedPrivateKey: encryptWithOpenssl(key, PASSPHRASE, ['-scrypt']),
  })),
  field('a key encrypted with PBKDF2-SHA512', 'ERR_KEY_ENCRYPTION', ({ key }) => ({
    encryptedPrivateKey: encryptWithOpenssl(key, PASSPHRASE, ['-v2prf', 'hmacWithSHA512']),
  })),
  field('a key in clear', 'ERR_KEY_NOT_ENCRYPTED', ({ key }) => ({ encryptedPrivateKey: clearKey(key) })),
  field('a key under another passphrase', 'ERR_KEY_DOES_NOT_OPEN', ({ key }) => ({
    encryptedPrivateKey: encryptKey(key, 'another'),
  })),
  certificate(
    'a passphrase with a newline at its end',
    'ERR_PASSPHRASE_NEWLINE',
    ({ hierarchies }, good) => ({
      ...certificateText(good, hierarchies.servers.chain),
      passphrase: `${PASSPHRASE}\n`,
    }),
  ),
  field('a secret that names another serial', 'ERR_SERIAL_MISMATCH', () => ({ serial: 'abad1dea' })),
  trust('an empty trust bundle', 'ERR_TRUST_MISSING', async () => ''),
  trust('garbage in the trust bundle', 'ERR_TRUST_UNREADABLE', async () => 'garbage'),
  trust("another CA's trust bundle", 'ERR_TRUST_BREAKS_OWN', async () => {
    const other = await createTestHierarchy('other');
    return other.root.certificate;
  }),
  crl('a stale CRL', 'ERR_CRL_STALE', async (issuing) => await issueCrl(issuing, STALE)),
  crl("another CA's CRL", 'ERR_CRL_NOT_OF_CA', async (issuing) => {
    const other = await createTestHierarchy('other');
    return await issueCrl(issuing, { signer: other.root });
  }),
  crl('an empty CRL', 'ERR_CRL_EMPTY', async () => new Uint8Array()),
  crl('garbage in place of a CRL', 'ERR_CRL_UNREADABLE', async () => Buffer.from('garbage')),
  {
    what: 'a full disk',
    code: 'ERR_SECRET_NOT_WRITTEN',
    about: 'server',
    deliveries: ['file'],
    spoil: async (sidecar) => {
      sidecar.secrets.certificates.server = await sidecar.issue('server');
      // Whatever is written to it is answered with ENOSPC (null(4)).
      symlinkSync('/dev/full', join(sidecar.directory, 'staging', 'server.json'));
    },
  },
  {
    what: 'no permission to write',
    code: 'ERR_SECRET_NOT_WRITTEN',
    about: 'server',
    deliveries: ['file'],
    spoil: async (sidecar) => {
      sidecar.secrets.certificates.server = await sidecar.issue('server');
      return withoutPermission(join(sidecar.directory, 'staging'));
    },
  },
];

const NOBODY = 65_534;

/** Root may write anywhere: so it is somebody else who tries. */
function withoutPermission(directory: string): () => void {
  chmodSync(directory, 0o500);
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(NOBODY);
  return () => {
    if (isRoot) process.seteuid?.(0);
    chmodSync(directory, 0o700);
  };
}
