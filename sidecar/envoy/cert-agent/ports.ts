/**
 * What the cert agent needs from outside, in its own words.
 *
 * @module
 */

import type { CertificateRole, Hierarchy } from '../../../mesh/definition.ts';
import type { CrlPlace, DenyList, ListingAuthorities } from '../../../pki/revocation.ts';
import type { CertificateSecret } from '../../../pki/secret.ts';
import type { Sensitive } from '../../../pki/sensitive.ts';

/** A certificate as it was delivered, not judged yet. */
export interface DeliveredCertificate {
  /** Changes whenever the contents do. */
  readonly version: string;
  readonly secretName: string;
  readonly secret: CertificateSecret;
  readonly passphrase: Sensitive<string>;
}

export interface DeliveredTrust {
  readonly version: string;
  readonly secretName: string;
  /** The roots, PEM. */
  readonly roots: string;
}

/** Where certificates come from: Secrets Manager, for those that ACM issued. */
export interface CertificateSource {
  /** @throws {TokenmeshError} naming the secret that lacks something, or that cannot be read. */
  certificate(role: CertificateRole): Promise<DeliveredCertificate>;
  trust(hierarchy: Hierarchy): Promise<DeliveredTrust>;
}

export interface DeliveredDenyList {
  readonly version: string;
  readonly list: DenyList;
}

/** Where it stands what is revoked. */
export interface RevocationSource {
  /** @throws {TokenmeshError} naming the secret that lacks something, or that cannot be read. */
  denyList(): Promise<DeliveredDenyList>;
  /** @throws {TokenmeshError} likewise. */
  authorities(): Promise<ListingAuthorities>;
  /**
   * The list as its CA wrote it, not judged yet.
   *
   * @throws {TokenmeshError} `ERR_CRL_UNAVAILABLE`
   */
  crl(place: CrlPlace): Promise<Uint8Array>;
}

/** The files that Envoy watches. */
export interface SecretFiles {
  /** Must be atomic: Envoy sees the old contents or the new, never half. */
  swap(fileName: string, contents: string): Promise<void>;
}

/** Asks Envoy which certificate it really uses. */
export interface Prover {
  /**
   * The serial that a peer sees on a new connection now; undefined when there is none to see yet.
   * Must make a handshake of its own: what Envoy says it has loaded is not what it serves.
   */
  servedSerial(role: CertificateRole, own: OwnMaterial): Promise<string | undefined>;
}

/** What the agent has handed to Envoy, with which it can make a connection of its own. */
export interface OwnMaterial {
  readonly client?: DeliveredCertificate;
  readonly trust: string;
}
