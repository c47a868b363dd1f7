/**
 * What the export needs of the outside, in its own words.
 *
 * @module
 */

import type { CertificateOwner } from '../pki/certificate-owner.ts';
import type { CertificateSecret } from '../pki/secret.ts';
import type { Sensitive } from '../pki/sensitive.ts';

/** A certificate as the side that issues it describes it. */
export interface DescribedCertificate {
  /** `ISSUED` when it can be exported; every other word is the source's own. */
  readonly status: string;
  /** As `normalizeSerial` writes it; absent until the certificate is issued. */
  readonly serial?: string;
  readonly notAfter?: Date;
  /** Absent unless the certificate names mesh, node and role as an owner of ours does. */
  readonly owner?: CertificateOwner;
}

export interface ExportedCertificate {
  /** The leaf, PEM. */
  readonly certificate: string;
  /** PEM, leaf's issuer first, up to the root. */
  readonly chain: string;
  /** PKCS #8, encrypted under the passphrase of the request, PEM. */
  readonly encryptedPrivateKey: string;
}

/** Where certificates come from. */
export interface CertificateSource {
  /** Resolves to undefined when there is no such certificate. */
  describe(certificateArn: string): Promise<DescribedCertificate | undefined>;

  /** Gives the certificate of this moment, which may be newer than the one described before. */
  export(certificateArn: string, passphrase: Sensitive<string>): Promise<ExportedCertificate>;
}

/** Where the nodes fetch their certificates. */
export interface SecretStore {
  /** What is published, or undefined when nothing is there that could be read: either way it is to be published. */
  currentCertificate(secretName: string): Promise<CertificateSecret | undefined>;

  /** Whether a version is there and will stay: one without a label may go at any moment, and counts as gone. */
  hasVersion(secretName: string, versionId: string): Promise<boolean>;

  /** 64 characters, none of which ACM refuses in a passphrase: `#`, `$`, `%`. */
  generatePassphrase(): Promise<Sensitive<string>>;

  /** Creates the secret when it is absent. Resolves to the id of the version that holds this passphrase. */
  publishPassphrase(secretName: string, passphrase: Sensitive<string>): Promise<string>;

  /** Creates the secret when it is absent. From then on readers get this certificate. */
  publishCertificate(secretName: string, secret: CertificateSecret): Promise<void>;
}
