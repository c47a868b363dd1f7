import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { SecretStore } from '../../cert-exporter/ports.ts';
import type { CertificateSecret } from '../../pki/secret.ts';
import { Sensitive } from '../../pki/sensitive.ts';

export interface SecretStoreSubject {
  readonly store: SecretStore;
  /** Writes a secret past the store, as a person with a console would. */
  readonly putRaw: (secretName: string, value: string) => Promise<void>;
}

/** What every store of secrets does; run against the fake and against Secrets Manager's adapter. */
export function secretStoreContract(setUp: () => Promise<SecretStoreSubject>): void {
  describe('a secret store', () => {
    let store: SecretStore;
    let putRaw: SecretStoreSubject['putRaw'];

    beforeAll(async () => {
      ({ store, putRaw } = await setUp());
    });

    it('has nothing under a name that was never published', async () => {
      expect(await store.currentCertificate(freshName())).toBeUndefined();
      expect(await store.hasVersion(freshName(), randomUUID())).toBe(false);
    });

    it('gives the certificate that was published last', async () => {
      const name = freshName();
      await store.publishCertificate(name, secret('a1'));
      expect(await store.currentCertificate(name)).toEqual(secret('a1'));
      await store.publishCertificate(name, secret('b2'));
      expect(await store.currentCertificate(name)).toEqual(secret('b2'));
    });

    it('keeps names apart', async () => {
      const [one, other] = [freshName(), freshName()];
      await store.publishCertificate(one, secret('a1'));
      await store.publishCertificate(other, secret('b2'));
      expect((await store.currentCertificate(one))?.serial).toBe('a1');
    });

    it('takes a secret that cannot be read for one that is not there', async () => {
      const name = freshName();
      await putRaw(name, 'edited by hand');
      expect(await store.currentCertificate(name)).toBeUndefined();
      await store.publishCertificate(name, secret('a1'));
      expect((await store.currentCertificate(name))?.serial).toBe('a1');
    });

    it('gives each passphrase a version, and keeps the one before it', async () => {
      const name = freshName();
      const first = await store.publishPassphrase(name, new Sensitive('first'));
      const second = await store.publishPassphrase(name, new Sensitive('second'));
      expect(first).not.toBe(second);
      expect(await store.hasVersion(name, first)).toBe(true);
      expect(await store.hasVersion(name, second)).toBe(true);
      expect(await store.hasVersion(name, randomUUID())).toBe(false);
    });

    it('generates passphrases of 64 characters that ACM takes, each another', async () => {
      const [one, other] = [await store.generatePassphrase(), await store.generatePassphrase()];
      expect(one.reveal()).toMatch(/^[\x21-\x7e]{64}$/);
      expect(one.reveal()).not.toMatch(/[#$%]/);
      expect(one.reveal()).not.toBe(other.reveal());
    });
  });
}

function freshName(): string {
  return `tokenmesh/${randomUUID()}/client/certificate`;
}

function secret(serial: string): CertificateSecret {
  return {
    serial,
    certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/1',
    certificate: 'leaf',
    chain: 'chain',
    encryptedPrivateKey: 'key',
    passphraseVersionId: 'version',
  };
}
