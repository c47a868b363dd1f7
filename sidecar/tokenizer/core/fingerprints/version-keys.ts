import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/** The keys of one version, each for one use alone. */
export interface VersionKeys {
  readonly version: number;
  /** Of the HMAC that is the fingerprint of a value. */
  readonly fingerprint: KeyObject;
  /** Of the bytes that a deterministic token is made of. */
  readonly derivation: KeyObject;
  /** Of the reference to a token in the index. */
  readonly reference: KeyObject;
  /** Seals the token in the index. */
  readonly sealing: KeyObject;
}

/** Bytes of the secret that KMS wraps: one for each tenant and version. */
export const FINGERPRINT_SECRET_BYTES = 32;

/** HKDF with SHA-256 (RFC 5869); the label parts the uses from each other. */
export function versionKeys(version: number, secret: Uint8Array): VersionKeys {
  const keyFor = (use: string): KeyObject =>
    createSecretKey(
      Buffer.from(
        hkdfSync('sha256', secret, '', `tokenmesh fingerprints, version 1: ${use}`, FINGERPRINT_SECRET_BYTES),
      ),
    );
  return {
    version,
    fingerprint: keyFor('fingerprint of a value'),
    derivation: keyFor('derivation of a token'),
    reference: keyFor('reference to a token'),
    sealing: keyFor('sealing of a token'),
  };
}
