/**
 * What stands in Secrets Manager for one certificate, and under which names.
 *
 * Two secrets for each certificate: the passphrase is kept apart from the key
 * that it opens. They cannot be written in one step, so the certificate's
 * secret names the version of the passphrase that goes with it: a reader never
 * pairs an old passphrase with a new key.
 *
 * @module
 */

import type { CertificateRole, Hierarchy } from '../mesh/definition.ts';
import { TokenmeshError } from '../errors/error.ts';

/** The value of a certificate's secret, as JSON. */
export interface CertificateSecret {
  /** As {@link normalizeSerial} writes it. */
  readonly serial: string;
  readonly certificateArn: string;
  /** The leaf, PEM. */
  readonly certificate: string;
  /** The intermediates up to the root, PEM, leaf's issuer first. */
  readonly chain: string;
  /** PKCS #8 `ENCRYPTED PRIVATE KEY`, PEM, as ACM exported it. */
  readonly encryptedPrivateKey: string;
  /** The VersionId of the passphrase's secret that opens the key. */
  readonly passphraseVersionId: string;
}

export interface SecretNames {
  readonly certificate: string;
  readonly passphrase: string;
}

export function secretNames(meshName: string, nodeName: string, role: CertificateRole): SecretNames {
  const prefix = `${meshName}/${nodeName}/${role}`;
  return { certificate: `${prefix}/certificate`, passphrase: `${prefix}/passphrase` };
}

/** The secret that holds the roots (PEM, one after the other) that peers trust for a hierarchy. */
export function trustSecretName(meshName: string, hierarchy: Hierarchy): string {
  return `${meshName}/trust/${hierarchy}`;
}

/** Serials are written with colons by ACM, in capitals by Node, without leading zeros by Envoy: one form for all. */
export function normalizeSerial(serial: string): string {
  return serial
    .replaceAll(':', '')
    .toLowerCase()
    .replace(/^0+(?=.)/, '');
}

const FIELDS = [
  'serial',
  'certificateArn',
  'certificate',
  'chain',
  'encryptedPrivateKey',
  'passphraseVersionId',
] as const;

/**
 * @throws {TokenmeshError} `ERR_SECRET_UNUSABLE`, naming the secret and what it lacks.
 */
export function parseCertificateSecret(secretName: string, text: string): CertificateSecret {
  const found = parseObject(text);
  const missing = FIELDS.filter((field) => typeof found[field] !== 'string' || found[field] === '');
  if (missing.length > 0) {
    throw new TokenmeshError({
      code: 'ERR_SECRET_UNUSABLE',
      message: `secret "${secretName}" is not usable: expected ${FIELDS.join(', ')}, missing ${missing.join(', ')}`,
      remedy: 'export the certificate again: npm run mesh -- rotate <node>',
    });
  }
  return found as unknown as CertificateSecret;
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
