import { createPrivateKey } from 'node:crypto';
import type { CertificateSecret } from './secret.ts';
import type { Sensitive } from './sensitive.ts';

/** What a process shows that ends TLS by itself, PEM. */
export interface OpenedCredentials {
  /** Leaf first, with the issuers up to the root. */
  readonly cert: string;
  /** PKCS #8, in the clear: for memory, or a file that goes with the run. */
  readonly key: string;
}

/** @throws {Error} where the passphrase does not open the key. */
export function openCredentials(
  { certificate, chain, encryptedPrivateKey }: CertificateSecret,
  passphrase: Sensitive<string>,
): OpenedCredentials {
  const key = createPrivateKey({ key: encryptedPrivateKey, passphrase: passphrase.reveal() });
  return {
    cert: `${certificate.trim()}\n${chain.trim()}\n`,
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
