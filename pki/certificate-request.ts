/**
 * Writes a certificate signing request (PKCS #10, RFC 2986) for one DNS name under a P-256 key.
 *
 * A writer of the few DER forms that it takes, and no reader: the CA reads and verifies it. A library
 * for all of X.509 costs each sidecar 22 MB and a fifth of a second at start (measured), for this.
 *
 * @module
 */

import { createPublicKey, sign, type KeyObject } from 'node:crypto';

/** Tags of X.690, and of RFC 5280 for a DNS name among alternative names. */
const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  dnsName: 0x82,
  attributes: 0xa0,
} as const;

/** Object identifiers as DER, tag and length included. */
const OID = {
  /** 2.5.4.3 */
  commonName: Buffer.from('0603550403', 'hex'),
  /** 2.5.29.17 */
  subjectAltName: Buffer.from('0603551d11', 'hex'),
  /** 1.2.840.113549.1.9.14 */
  extensionRequest: Buffer.from('06092a864886f70d01090e', 'hex'),
  /** 1.2.840.10045.4.3.2 */
  ecdsaWithSha256: Buffer.from('06082a8648ce3d040302', 'hex'),
} as const;

/**
 * @param dnsName - The subject's common name and the only alternative name: at most 64 characters, as a
 *   common name may have (RFC 5280, ub-common-name).
 * @param key - A private key on P-256. It signs, and does not leave.
 * @returns PEM.
 */
export function certificateRequest(dnsName: string, key: KeyObject): string {
  const info = requestInfo(dnsName, createPublicKey(key).export({ type: 'spki', format: 'der' }));
  const signature = sign('sha256', info, key);
  const request = sequence(info, sequence(OID.ecdsaWithSha256), der(TAG.bitString, Buffer.of(0), signature));
  const lines = request.toString('base64').replaceAll(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines}\n-----END CERTIFICATE REQUEST-----\n`;
}

function requestInfo(dnsName: string, publicKey: Buffer): Buffer {
  const version = der(TAG.integer, Buffer.of(0));
  const commonName = sequence(OID.commonName, der(TAG.utf8String, Buffer.from(dnsName, 'utf8')));
  return sequence(
    version,
    sequence(der(TAG.set, commonName)),
    publicKey,
    der(TAG.attributes, extensionRequest(dnsName)),
  );
}

function extensionRequest(dnsName: string): Buffer {
  const names = sequence(der(TAG.dnsName, Buffer.from(dnsName, 'ascii')));
  const extension = sequence(OID.subjectAltName, der(TAG.octetString, names));
  return sequence(OID.extensionRequest, der(TAG.set, sequence(extension)));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(TAG.sequence, ...parts);
}

/** Tag, length (X.690 section 8.1.3), contents. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const contents = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag), derLength(contents.length), contents]);
}

function derLength(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  return length < 0x100 ? Buffer.of(0x81, length) : Buffer.of(0x82, length >> 8, length & 0xff);
}
