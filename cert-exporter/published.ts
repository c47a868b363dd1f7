import { readCertificates } from '../pki/certificate.ts';
import type { SecretNames } from '../pki/secret.ts';
import type { SecretStore } from './ports.ts';

export interface PublishedCertificate {
  readonly serial: string;
  readonly notAfter: Date;
  readonly passphraseVersionId: string;
}

/**
 * What is published under these names, or undefined unless a node could use it.
 *
 * The leaf in the secret must be the one that the secret says it is, and the passphrase that it names must
 * be there. An export that was cut short, or a secret that was edited, counts as not published, and the
 * next export mends it.
 */
export async function findPublished(
  store: SecretStore,
  names: SecretNames,
): Promise<PublishedCertificate | undefined> {
  const secret = await store.currentCertificate(names.certificate);
  if (secret === undefined) return undefined;
  const { serial, passphraseVersionId } = secret;
  const [leaf] = readCertificates(secret.certificate).certificates;
  if (leaf?.serial !== serial) return undefined;
  if (!(await store.hasVersion(names.passphrase, passphraseVersionId))) return undefined;
  return { serial, notAfter: leaf.notAfter, passphraseVersionId };
}
