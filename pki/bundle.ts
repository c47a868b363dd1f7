/**
 * Judges a certificate with its chain and key before anything runs on it.
 *
 * Envoy keeps the old set for some faults, serves others as they are, and an
 * empty certificate or key can be an outage (measured, Envoy 1.40): so every
 * set is judged here before the swap, and every problem is told at once.
 *
 * @module
 */

import type { KeyObject } from 'node:crypto';
import type { CertificateRole } from '../mesh/definition.ts';
import { readCertificates, type CertificateFacts } from './certificate.ts';
import { judgeChain } from './chain.ts';
import { openPrivateKey, type EncryptedPrivateKey, type OpenedKey } from './private-key.ts';
import { judgeDates, judgeLeafKey, nameOf, type PkiProblem } from './problem.ts';
import { Sensitive } from './sensitive.ts';

export interface Bundle {
  /** The leaf, PEM: exactly one certificate. */
  readonly certificate: string;
  /** PEM, leaf's issuer first; the root may stand at the end, or not. */
  readonly chain: string;
  readonly privateKey: Sensitive<KeyObject> | EncryptedPrivateKey;
}

export interface BundleExpectations {
  /** The roots of the own hierarchy, PEM one after the other. */
  readonly trustedRoots: string;
  /** Must stand among the DNS SANs as it is: a wildcard that covers it does not count. */
  readonly expectedDnsName: string;
  readonly role: CertificateRole;
  readonly now: Date;
}

export type BundleVerdict =
  | { readonly verdict: 'usable'; readonly facts: CertificateFacts }
  | { readonly verdict: 'refused'; readonly problems: readonly PkiProblem[] };

export function judgeBundle(question: Bundle & BundleExpectations): BundleVerdict {
  const leaf = readLeaf(question.certificate);
  const key = readKey(question.privateKey);
  const problems = [...leaf.problems, ...key.problems];
  if (leaf.facts !== undefined) {
    problems.push(...judgeLeaf(leaf.facts, question));
    problems.push(...judgeChain({ leaf: leaf.facts, ...question }));
    if (key.key !== undefined) problems.push(...judgeMatch(leaf.facts, key.key));
  }
  return leaf.facts !== undefined && problems.length === 0
    ? { verdict: 'usable', facts: leaf.facts }
    : { verdict: 'refused', problems };
}

/** The extended key usage a role needs: id-kp-clientAuth, id-kp-serverAuth (RFC 5280 section 4.2.1.12). */
const REQUIRED_USAGE: Readonly<Record<CertificateRole, string>> = {
  client: '1.3.6.1.5.5.7.3.2',
  server: '1.3.6.1.5.5.7.3.1',
};

function judgeLeaf(leaf: CertificateFacts, expected: BundleExpectations): PkiProblem[] {
  return [
    ...judgeDates(leaf, expected.now, {
      expired: 'ERR_CERTIFICATE_EXPIRED',
      notYetValid: 'ERR_CERTIFICATE_NOT_YET_VALID',
    }),
    ...judgeLeafKey(leaf),
    ...(leaf.extendedKeyUsage.includes(REQUIRED_USAGE[expected.role]) ? [] : [wrongUsage(leaf, expected)]),
    ...(leaf.dnsNames.includes(expected.expectedDnsName) ? [] : [wrongName(leaf, expected)]),
  ];
}

function readLeaf(pem: string): { facts?: CertificateFacts; problems: PkiProblem[] } {
  if (pem.trim() === '') return { problems: [CERTIFICATE_EMPTY] };
  const { certificates, isWhole } = readCertificates(pem);
  const [facts] = certificates;
  if (facts === undefined || !isWhole || certificates.length > 1) {
    return { problems: [certificateUnreadable(certificates.length)] };
  }
  return { facts, problems: [] };
}

function readKey(privateKey: Sensitive<KeyObject> | EncryptedPrivateKey): {
  key?: Sensitive<KeyObject>;
  problems: PkiProblem[];
} {
  if (privateKey instanceof Sensitive) return { key: privateKey, problems: [] };
  const opened = openPrivateKey(privateKey);
  return opened.outcome === 'opened' ? { key: opened.key, problems: [] } : { problems: [keyProblem(opened)] };
}

function judgeMatch(leaf: CertificateFacts, key: Sensitive<KeyObject>): PkiProblem[] {
  if (leaf.x509.checkPrivateKey(key.reveal())) return [];
  return [
    {
      code: 'ERR_KEY_MISMATCH',
      message: `private key does not belong to ${nameOf(leaf)}: expected the key that matches this leaf, got another certificate's`,
      remedy: EXPORT_AGAIN,
    },
  ];
}

const EXPORT_AGAIN = 'export the certificate again: npm run mesh -- rotate <node>';

const CERTIFICATE_EMPTY: PkiProblem = {
  code: 'ERR_CERTIFICATE_MISSING',
  message: 'certificate is empty: expected one in PEM',
  remedy: EXPORT_AGAIN,
};

function certificateUnreadable(count: number): PkiProblem {
  return {
    code: 'ERR_CERTIFICATE_UNREADABLE',
    message: `certificate is not readable: expected exactly one in PEM and nothing else, got ${count} that can be read`,
    remedy: EXPORT_AGAIN,
  };
}

type UnopenedKey = Exclude<OpenedKey, { outcome: 'opened' }>;

function keyProblem(unopened: UnopenedKey): PkiProblem {
  return unopened.outcome === 'not-for-envoy'
    ? keyEncryption(unopened.encryption)
    : KEY_PROBLEMS[unopened.outcome];
}

function keyEncryption(got: string): PkiProblem {
  return {
    code: 'ERR_KEY_ENCRYPTION',
    message: `private key is encrypted in a way that Envoy does not open: expected PBES2 with PBKDF2 (SHA-1 or SHA-256) and AES or 3DES, got ${got}`,
    remedy: `take the key as ACM exports it: ${EXPORT_AGAIN}`,
  };
}

const KEY_PROBLEMS: Readonly<Record<Exclude<UnopenedKey['outcome'], 'not-for-envoy'>, PkiProblem>> = {
  empty: {
    code: 'ERR_KEY_MISSING',
    message: 'private key is empty: expected an encrypted one in PEM',
    remedy: EXPORT_AGAIN,
  },
  'not-encrypted': {
    code: 'ERR_KEY_NOT_ENCRYPTED',
    message: 'private key is in clear: expected PKCS #8 "ENCRYPTED PRIVATE KEY"',
    remedy: 'take the key for exposed: request a new certificate, and export that one',
  },
  'passphrase-newline': {
    code: 'ERR_PASSPHRASE_NEWLINE',
    message: 'passphrase ends in a newline: expected the passphrase alone, as the key is opened with it',
    remedy: `write the passphrase without its newline, or ${EXPORT_AGAIN}`,
  },
  'does-not-open': {
    code: 'ERR_KEY_DOES_NOT_OPEN',
    message: 'private key does not open: expected a key in PEM that its passphrase opens',
    remedy: EXPORT_AGAIN,
  },
};

function wrongUsage(leaf: CertificateFacts, expected: BundleExpectations): PkiProblem {
  return {
    code: 'ERR_EXTENDED_KEY_USAGE',
    message: `certificate ${nameOf(leaf)} may not be used as a ${expected.role}: expected extended key usage ${REQUIRED_USAGE[expected.role]}, got ${leaf.extendedKeyUsage.join(', ') || 'none'}`,
    remedy: 'issue it from a template that allows this use, as EndEntityCertificate/V1 does',
  };
}

function wrongName(leaf: CertificateFacts, expected: BundleExpectations): PkiProblem {
  return {
    code: 'ERR_NAME_MISMATCH',
    message: `certificate ${nameOf(leaf)} names another: expected DNS name "${expected.expectedDnsName}", got ${leaf.dnsNames.join(', ') || 'none'}`,
    remedy: 'request a certificate for this name, or correct the tags of the one that was exported',
  };
}
