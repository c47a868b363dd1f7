/**
 * Certificates made in the test itself: a hierarchy, and leaves with any one thing wrong.
 *
 * @module
 */

import 'reflect-metadata';
import { KeyObject, randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto);

export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

function rsa(modulusLength: number): webcrypto.RsaHashedKeyGenParams {
  return {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength,
  };
}

export interface Issued {
  readonly certificate: string;
  readonly serial: string;
  readonly key: KeyObject;
}

export interface Authority extends Issued {
  readonly commonName: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

export interface CertificateWish {
  readonly commonName: string;
  readonly issuer?: Authority;
  readonly dnsNames?: readonly string[];
  readonly extendedKeyUsage?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly isCa?: boolean;
  readonly rsaBits?: number;
  /** @default 'P-256' */
  readonly curve?: 'P-256' | 'P-384' | 'P-521';
  readonly serial?: string;
}

export const DAY_MS = 86_400_000;

export function ago(ms: number): Date {
  return new Date(Date.now() - ms);
}

/** Issues what is wished for; signed by itself when there is no issuer. */
export async function issueCertificate(wish: CertificateWish): Promise<Authority> {
  const curve = { ...EC, namedCurve: wish.curve ?? EC.namedCurve };
  const algorithm = wish.rsaBits === undefined ? curve : rsa(wish.rsaBits);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const signer = wish.issuer?.keys ?? keys;
  const serial = wish.serial ?? `4f${randomBytes(15).toString('hex')}`;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial,
    subject: `CN=${wish.commonName}`,
    issuer: `CN=${wish.issuer?.commonName ?? wish.commonName}`,
    notBefore: wish.notBefore ?? new Date(Date.now() - 3_600_000),
    notAfter: wish.notAfter ?? new Date(Date.now() + 395 * DAY_MS),
    publicKey: keys.publicKey,
    signingKey: signer.privateKey,
    signingAlgorithm: { ...signer.privateKey.algorithm, hash: 'SHA-256' },
    extensions: extensionsOf(wish),
  });
  return {
    commonName: wish.commonName,
    certificate: `${certificate.toString('pem')}\n`,
    serial,
    key: KeyObject.from(keys.privateKey),
    keys,
  };
}

function extensionsOf(wish: CertificateWish): x509.Extension[] {
  const { keyCertSign, cRLSign, digitalSignature } = x509.KeyUsageFlags;
  const caUsage = (keyCertSign | cRLSign) as x509.KeyUsageFlags;
  return [
    new x509.BasicConstraintsExtension(wish.isCa ?? false, undefined, true),
    new x509.KeyUsagesExtension(wish.isCa ? caUsage : digitalSignature, true),
    ...(wish.extendedKeyUsage === undefined
      ? []
      : [new x509.ExtendedKeyUsageExtension([...wish.extendedKeyUsage])]),
    ...(wish.dnsNames === undefined
      ? []
      : [
          new x509.SubjectAlternativeNameExtension(
            wish.dnsNames.map((value) => ({ type: 'dns' as const, value })),
          ),
        ]),
  ];
}

export interface CrlWish {
  readonly serials?: readonly string[];
  readonly thisUpdate?: Date;
  readonly nextUpdate?: Date | null;
  readonly extensions?: x509.Extension[];
  /** Instead of the authority's own name. */
  readonly inNameOf?: string;
}

/** The list of an authority, DER: good for a week unless wished otherwise. */
export async function issueCrl(authority: Authority, wish: CrlWish = {}): Promise<Uint8Array> {
  const crl = await x509.X509CrlGenerator.create({
    issuer: `CN=${wish.inNameOf ?? authority.commonName}`,
    thisUpdate: wish.thisUpdate ?? new Date(Date.now() - 60_000),
    ...(wish.nextUpdate === null ? {} : { nextUpdate: wish.nextUpdate ?? new Date(Date.now() + 7 * DAY_MS) }),
    // With a reason: without one the entry has an empty list of extensions, which Envoy does not read.
    entries: (wish.serials ?? []).map((serialNumber) => ({
      serialNumber,
      reason: x509.X509CrlReason.keyCompromise,
    })),
    extensions: wish.extensions ?? [],
    signingAlgorithm: { ...authority.keys.privateKey.algorithm, hash: 'SHA-256' },
    signingKey: authority.keys.privateKey,
  });
  return new Uint8Array(crl.rawData);
}

export interface TestHierarchy {
  readonly root: Authority;
  readonly subordinate: Authority;
  /** As ACM exports it: the subordinate, then the root. */
  readonly chain: string;
}

export async function createTestHierarchy(name: string): Promise<TestHierarchy> {
  const root = await issueCertificate({ commonName: `${name} root`, isCa: true });
  const subordinate = await issueCertificate({ commonName: `${name} issuing`, isCa: true, issuer: root });
  return { root, subordinate, chain: subordinate.certificate + root.certificate };
}

/** A leaf for both roles, named by its only DNS name. */
export async function issueLeaf(
  issuer: Authority,
  dnsName: string,
  wish: Partial<CertificateWish> = {},
): Promise<Authority> {
  return issueCertificate({
    commonName: dnsName,
    issuer,
    dnsNames: [dnsName],
    extendedKeyUsage: [SERVER_AUTH, CLIENT_AUTH],
    ...wish,
  });
}

/** PKCS #8, AES-256-CBC, PEM: the form in which ACM exports a key. */
export function encryptKey(key: KeyObject, passphrase: string): string {
  return key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString();
}

/** The same key in clear. */
export function clearKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
