/**
 * What the cert agent needs from outside, in its own words.
 *
 * @module
 */

import type { CertificateRole, Hierarchy } from '../../../mesh/definition.ts';
import type { SdsSecret, SdsSecretName } from '../../../mesh/envoy/sds.ts';
import type { CrlPlace, DenyList, ListingAuthorities } from '../../../pki/revocation.ts';
import type { CertificateSecret } from '../../../pki/secret.ts';
import type { Sensitive } from '../../../pki/sensitive.ts';

/** A certificate as it was delivered, not judged yet. */
export interface DeliveredCertificate {
  /** Changes whenever the contents do. */
  readonly version: string;
  readonly secretName: string;
  /** When this version was written, where the source knows. */
  readonly publishedAt?: Date;
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

/** Where secrets go so that Envoy has them: its memory by way of SDS, or files that it watches. */
export interface SecretSink {
  /**
   * Must be atomic: Envoy has the old secret or the new, never half, and goes on with the old one
   * where it does not take the new.
   *
   * @throws {TokenmeshError} when the secret could not be handed over.
   */
  put(secret: SdsSecret): Promise<PutOutcome>;
  /** Why Envoy refused the newest secret of this name; undefined where it took it, or does not say. */
  refusal(name: SdsSecretName): string | undefined;
  /** What Envoy has said so far, by name of the secret; empty where it does not say. */
  readonly answers: readonly SecretAnswers[];
}

/**
 * `taken` is Envoy's own word, and so is `refused`. `kept`: it is there for Envoy, which does not say or
 * is not connected. `unanswered`: Envoy is connected and says nothing. Only a handshake is proof.
 */
export type PutOutcome =
  | { readonly outcome: 'taken' | 'kept' | 'unanswered' }
  | { readonly outcome: 'refused'; readonly reason: string };

/** How often Envoy took and refused the secrets of one name. */
export interface SecretAnswers {
  readonly name: SdsSecretName;
  readonly taken: number;
  readonly refused: number;
  /** Why it refused the newest; undefined once it takes one. */
  readonly refusal?: string;
}

/** Files that Envoy watches. */
export interface WatchedFiles {
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
