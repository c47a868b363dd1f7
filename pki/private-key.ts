import { createPrivateKey, type KeyObject } from 'node:crypto';
import { keyEncryptionOf } from './key-encryption.ts';
import { Sensitive } from './sensitive.ts';

/** A private key as ACM exports it, and what opens it. */
export interface EncryptedPrivateKey {
  /** PKCS #8 `ENCRYPTED PRIVATE KEY`, PEM. */
  readonly pem: string;
  readonly passphrase: Sensitive<string>;
}

export type OpenedKey =
  | { readonly outcome: 'opened'; readonly key: Sensitive<KeyObject> }
  /** `not-encrypted` is a key in clear: it opens without the passphrase, which is the fault. */
  | { readonly outcome: 'empty' | 'not-encrypted' | 'passphrase-newline' | 'does-not-open' }
  /** It would open here, and not in Envoy. */
  | { readonly outcome: 'not-for-envoy'; readonly encryption: string };

/**
 * Opens a private key with its passphrase.
 *
 * A wrong passphrase and a damaged key cannot be told apart, and are one outcome. Never throws:
 * the errors of OpenSSL stay here.
 */
export function openPrivateKey(encrypted: EncryptedPrivateKey): OpenedKey {
  if (encrypted.pem.trim() === '') return { outcome: 'empty' };
  if (/-----BEGIN (?:\w+ )?PRIVATE KEY-----/.test(encrypted.pem) && !encrypted.pem.includes('ENCRYPTED')) {
    return { outcome: 'not-encrypted' };
  }
  const passphrase = encrypted.passphrase.reveal();
  if (/[\r\n]$/.test(passphrase)) return { outcome: 'passphrase-newline' };
  const encryption = keyEncryptionOf(encrypted.pem);
  if (encryption?.isTakenByEnvoy === false) return { outcome: 'not-for-envoy', encryption: encryption.text };
  try {
    const key = createPrivateKey({ key: encrypted.pem, passphrase });
    return { outcome: 'opened', key: new Sensitive(key) };
  } catch {
    return { outcome: 'does-not-open' };
  }
}
