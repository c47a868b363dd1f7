/**
 * Certificates as facts, read by node:crypto: nothing here parses ASN.1.
 *
 * @module
 */

import { X509Certificate } from 'node:crypto';
import { TokenmeshError } from '../errors/error.ts';
import { normalizeSerial } from './secret.ts';

export const DAY_MS = 86_400_000;

export interface KeyAlgorithm {
  /** As node:crypto names it: `ec`, `rsa`, `ed25519`. */
  readonly type: string;
  /** The modulus, for RSA. */
  readonly bits?: number;
  /** The named curve, for EC. */
  readonly curve?: string;
}

export interface CertificateFacts {
  /** As {@link normalizeSerial} writes it. */
  readonly serial: string;
  /** One line: `CN=order.tokenmesh.internal`. */
  readonly subject: string;
  readonly issuer: string;
  readonly dnsNames: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** OIDs; empty when the extension is absent. */
  readonly extendedKeyUsage: readonly string[];
  readonly isCa: boolean;
  readonly keyAlgorithm: KeyAlgorithm;
  readonly x509: X509Certificate;
}

/**
 * @param pem - One certificate. Of several, only the first would be read: split them with {@link splitPem}.
 * @throws {TokenmeshError} `ERR_CERTIFICATE_UNREADABLE` when it is none.
 */
export function readCertificate(pem: string): CertificateFacts {
  const x509 = parse(pem);
  return {
    serial: normalizeSerial(x509.serialNumber),
    subject: oneLine(x509.subject),
    issuer: oneLine(x509.issuer),
    dnsNames: dnsNamesOf(x509.subjectAltName ?? ''),
    notBefore: x509.validFromDate,
    notAfter: x509.validToDate,
    extendedKeyUsage: x509.keyUsage ?? [],
    isCa: x509.ca,
    keyAlgorithm: keyAlgorithmOf(x509),
    x509,
  };
}

const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates of a bundle in their order, each as its own PEM; what stands between them is left out. */
export function splitPem(bundle: string): string[] {
  return bundle.match(PEM_BLOCK)?.map((block) => `${block}\n`) ?? [];
}

export interface ReadBundle {
  readonly certificates: readonly CertificateFacts[];
  /** False when it holds anything that is not a whole, readable certificate: a cut-off block, a key, prose. */
  readonly isWhole: boolean;
}

/** Reads the certificates of a bundle; what cannot be read is told by `isWhole`, not thrown. */
export function readCertificates(bundle: string): ReadBundle {
  const blocks = splitPem(bundle);
  const certificates = blocks.flatMap((block) => {
    try {
      return [readCertificate(block)];
    } catch {
      return [];
    }
  });
  const strayText = bundle.replaceAll(PEM_BLOCK, '').trim();
  return { certificates, isWhole: certificates.length === blocks.length && strayText === '' };
}

/** Whole days until the certificate expires, rounded down; negative once it has. */
export function daysLeft(facts: Pick<CertificateFacts, 'notAfter'>, now: Date): number {
  return Math.floor((facts.notAfter.getTime() - now.getTime()) / DAY_MS);
}

function parse(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new TokenmeshError({
      code: 'ERR_CERTIFICATE_UNREADABLE',
      message: `certificate is not readable: expected one in PEM, got ${pem.length} characters that are none`,
      remedy: 'take it again from where it came: it may be cut off, or be another kind of file',
      cause,
    });
  }
}

function oneLine(name: string | undefined): string {
  return (name ?? '').replaceAll('\n', ', ');
}

/**
 * One entry of Node's text for subject alternative names. A value that holds a comma or a quote is
 * written as a JSON string (CVE-2021-44532), so that no name can pass for two.
 */
const ALTERNATIVE_NAME = /([^:,]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy;

function dnsNamesOf(subjectAltName: string): string[] {
  return [...subjectAltName.matchAll(ALTERNATIVE_NAME)]
    .filter(([, type]) => type === 'DNS')
    .map(([, , value = '']) => (value.startsWith('"') ? String(JSON.parse(value)) : value));
}

function keyAlgorithmOf(x509: X509Certificate): KeyAlgorithm {
  const { asymmetricKeyType, asymmetricKeyDetails } = x509.publicKey;
  return {
    type: asymmetricKeyType ?? 'unknown',
    ...(asymmetricKeyDetails?.modulusLength === undefined
      ? {}
      : { bits: asymmetricKeyDetails.modulusLength }),
    ...(asymmetricKeyDetails?.namedCurve === undefined ? {} : { curve: asymmetricKeyDetails.namedCurve }),
  };
}
