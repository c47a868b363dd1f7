/**
 * Judges certificate revocation lists (RFC 5280 section 5) before anything runs on them.
 *
 * A stale, garbage or other CA's list makes Envoy refuse everyone, and an empty file switches revocation
 * off in silence (measured, Envoy 1.40): so every list is judged here before the swap, and every problem
 * is told at once. The ASN.1 is read by @peculiar/x509, the signature checked by Node's Web Crypto.
 *
 * @module
 */

import 'reflect-metadata';
import { PublicKey, X509Certificate, X509Crl } from '@peculiar/x509';
import { readCertificate, type CertificateFacts } from './certificate.ts';
import { nameOf, type PkiProblem } from './problem.ts';
import { normalizeSerial } from './secret.ts';

export interface CrlFacts {
  /** The name of the CA whose list it is, one line. */
  readonly issuer: string;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** As {@link normalizeSerial} writes them. */
  readonly serials: readonly string[];
  /** For Envoy. */
  readonly pem: string;
}

export interface CrlQuestion {
  /** As the CA wrote it: DER. */
  readonly der: Uint8Array;
  /** The certificate of the CA whose list it must be. */
  readonly authority: CertificateFacts;
  readonly now: Date;
  /** The list of the same CA that is held already. An older one must not take its place: it may lack what was revoked since. */
  readonly held?: CrlFacts | undefined;
}

/** A list past its nextUpdate has facts beside its problem: its serials are revoked all the same. */
export type CrlVerdict =
  | { readonly verdict: 'usable'; readonly facts: CrlFacts }
  | { readonly verdict: 'refused'; readonly problems: readonly PkiProblem[]; readonly facts?: CrlFacts };

/** Judges one list. Never throws: what cannot be read is a verdict. */
export async function judgeCrl(question: CrlQuestion): Promise<CrlVerdict> {
  const { der, authority, now, held } = question;
  if (der.length === 0) return refused(empty(authority));
  const crl = parse(der);
  if (crl === undefined) return refused(unreadable(authority, der.length));
  if (!(await isSignedBy(crl, authority))) return refused(otherAuthority(authority, crl));
  const unknown = crl.extensions.find(({ type, critical }) => critical && !CRITICAL_KNOWN.has(type));
  if (unknown !== undefined) return refused(unknownExtension(authority, unknown.type));
  const { nextUpdate } = crl;
  if (nextUpdate === undefined) return refused(endless(authority));
  const facts = factsOf(crl, nextUpdate);
  if (facts.thisUpdate > now) return refused(notYetValid(authority, facts, now));
  if (held !== undefined && facts.thisUpdate < held.thisUpdate) return refused(older(authority, facts, held));
  const stale = judgeStaleness(facts, now);
  return stale === undefined
    ? { verdict: 'usable', facts }
    : { verdict: 'refused', problems: [stale], facts };
}

/** A list and the CA that must have written it, for each CA of a hierarchy. */
export interface CrlsQuestion {
  readonly crls: readonly { readonly der: Uint8Array; readonly authorityPem: string }[];
  readonly now: Date;
}

/** Judges the lists of a whole chain: one that is refused refuses all, since Envoy wants one for every CA. */
export async function judgeCrls({ crls, now }: CrlsQuestion): Promise<readonly PkiProblem[]> {
  const verdicts = await Promise.all(
    crls.map(({ der, authorityPem }) => judgeCrl({ der, authority: readCertificate(authorityPem), now })),
  );
  return verdicts.flatMap((each) => (each.verdict === 'usable' ? [] : each.problems));
}

/** What is wrong with the age of a list at `now`, if anything. Envoy takes none past its nextUpdate. */
export function judgeStaleness(facts: CrlFacts, now: Date): PkiProblem | undefined {
  if (now <= facts.nextUpdate) return undefined;
  return {
    code: 'ERR_CRL_STALE',
    message: `the CRL of "${facts.issuer}" is stale: expected one valid at ${now.toISOString()}, got one that should have been replaced by ${facts.nextUpdate.toISOString()}`,
    remedy: SEE_THE_CA,
  };
}

/** Issuing distribution point: what part of the CA's certificates a partitioned list is about. */
const CRITICAL_KNOWN = new Set(['2.5.29.28']);

function parse(der: Uint8Array): X509Crl | undefined {
  try {
    const crl = new X509Crl(der);
    // Read now, so that what is cut off further in shows here.
    void [crl.thisUpdate, crl.entries.length, crl.issuer, crl.extensions.length];
    return crl;
  } catch {
    return undefined;
  }
}

/** By the key, since a name can be had by anybody; and by the name, since that is how Envoy finds it. */
async function isSignedBy(crl: X509Crl, { x509 }: CertificateFacts): Promise<boolean> {
  try {
    if (new X509Certificate(x509.raw).subject !== crl.issuer) return false;
    const spki = x509.publicKey.export({ type: 'spki', format: 'der' });
    return await crl.verify({ publicKey: new PublicKey(spki) });
  } catch {
    return false;
  }
}

function factsOf(crl: X509Crl, nextUpdate: Date): CrlFacts {
  return {
    issuer: crl.issuer,
    thisUpdate: crl.thisUpdate,
    nextUpdate,
    serials: crl.entries.map(({ serialNumber }) => normalizeSerial(serialNumber)),
    pem: pemOf(crl.rawData),
  };
}

/** Under OpenSSL's label, which is BoringSSL's: a block with another is not read, and not told. */
function pemOf(der: ArrayBuffer): string {
  const lines = Buffer.from(der).toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN X509 CRL-----\n${lines}\n-----END X509 CRL-----\n`;
}

function refused(problem: PkiProblem): CrlVerdict {
  return { verdict: 'refused', problems: [problem] };
}

const SEE_THE_CA =
  'see that the CA is ACTIVE and may write to its bucket (DescribeCertificateAuthority), and that nobody else does';

function empty(authority: CertificateFacts): PkiProblem {
  return {
    code: 'ERR_CRL_EMPTY',
    message: `the CRL of ${nameOf(authority)} is an empty file: expected a signed list, which may name no certificate`,
    remedy: SEE_THE_CA,
  };
}

function unreadable(authority: CertificateFacts, bytes: number): PkiProblem {
  return {
    code: 'ERR_CRL_UNREADABLE',
    message: `the CRL of ${nameOf(authority)} is not readable: expected one in DER, got ${bytes} bytes that are none`,
    remedy: SEE_THE_CA,
  };
}

function otherAuthority(authority: CertificateFacts, crl: X509Crl): PkiProblem {
  return {
    code: 'ERR_CRL_NOT_OF_CA',
    message: `the CRL of ${nameOf(authority)} is not its own: expected a list that this CA signed, got one in the name of "${crl.issuer.slice(0, 80)}"`,
    remedy: SEE_THE_CA,
  };
}

function unknownExtension(authority: CertificateFacts, oid: string): PkiProblem {
  return {
    code: 'ERR_CRL_EXTENSION',
    message: `the CRL of ${nameOf(authority)} has a critical extension that is not known here: expected none but ${[...CRITICAL_KNOWN].join(', ')}, got ${oid}`,
    remedy: 'have the CA write a complete list, neither a delta nor an indirect one',
  };
}

function endless(authority: CertificateFacts): PkiProblem {
  return {
    code: 'ERR_CRL_ENDLESS',
    message: `the CRL of ${nameOf(authority)} says no nextUpdate: expected when the next one is due`,
    remedy: 'set ExpirationInDays in the CrlConfiguration of the CA',
  };
}

function notYetValid(authority: CertificateFacts, facts: CrlFacts, now: Date): PkiProblem {
  return {
    code: 'ERR_CRL_NOT_YET_VALID',
    message: `the CRL of ${nameOf(authority)} is not valid yet: expected one valid at ${now.toISOString()}, got one that begins at ${facts.thisUpdate.toISOString()}`,
    remedy: 'check the clock of this machine',
  };
}

function older(authority: CertificateFacts, facts: CrlFacts, held: CrlFacts): PkiProblem {
  return {
    code: 'ERR_CRL_OLDER',
    message: `the CRL of ${nameOf(authority)} is older than the one held: expected one of ${held.thisUpdate.toISOString()} or later, got one of ${facts.thisUpdate.toISOString()}`,
    remedy: 'see who put an old list back into the bucket: it may lack what was revoked since',
  };
}
