import { randomBytes } from 'node:crypto';
import type { SecretStore } from '../../cert-exporter/ports.ts';
import { parseCertificateSecret, type CertificateSecret } from '../../pki/secret.ts';
import { Sensitive } from '../../pki/sensitive.ts';

/** Secrets Manager in memory: versions under names, of which the last is the current one. */
export class FakeSecretStore implements SecretStore {
  /** The names that were written, in order. */
  readonly writes: string[] = [];
  readonly #secrets = new Map<string, Map<string, string>>();

  async currentCertificate(secretName: string): Promise<CertificateSecret | undefined> {
    const text = this.currentValue(secretName);
    if (text === undefined) return undefined;
    try {
      return parseCertificateSecret(secretName, text);
    } catch {
      return undefined;
    }
  }

  async hasVersion(secretName: string, versionId: string): Promise<boolean> {
    return this.#secrets.get(secretName)?.has(versionId) ?? false;
  }

  async generatePassphrase(): Promise<Sensitive<string>> {
    return new Sensitive(randomBytes(48).toString('base64url'));
  }

  async publishPassphrase(secretName: string, passphrase: Sensitive<string>): Promise<string> {
    return this.put(secretName, passphrase.reveal());
  }

  async publishCertificate(secretName: string, secret: CertificateSecret): Promise<void> {
    this.put(secretName, JSON.stringify(secret));
  }

  /** Writes a version as somebody else would, and gives its id. */
  put(secretName: string, value: string): string {
    const versionId = randomBytes(16).toString('hex');
    const versions = this.#secrets.get(secretName) ?? new Map<string, string>();
    this.#secrets.set(secretName, versions.set(versionId, value));
    this.writes.push(secretName);
    return versionId;
  }

  currentValue(secretName: string): string | undefined {
    return [...(this.#secrets.get(secretName)?.values() ?? [])].at(-1);
  }

  versionValue(secretName: string, versionId: string): string | undefined {
    return this.#secrets.get(secretName)?.get(versionId);
  }

  removeVersion(secretName: string, versionId: string): void {
    this.#secrets.get(secretName)?.delete(versionId);
  }
}
