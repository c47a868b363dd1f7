import { beforeAll, describe, expect, it } from '@jest/globals';
import type { CertificateSource } from '../../cert-exporter/ports.ts';
import { judgeBundle } from '../../pki/bundle.ts';
import { readCertificate } from '../../pki/certificate.ts';
import type { CertificateOwner } from '../../pki/certificate-owner.ts';
import { Sensitive } from '../../pki/sensitive.ts';

export interface CertificateSourceSubject {
  readonly source: CertificateSource;
  readonly owner: CertificateOwner;
  readonly dnsName: string;
  /** Issued, and tagged with `owner`. */
  readonly ownedArn: string;
  /** Issued, and without tags. */
  readonly untaggedArn: string;
  readonly unknownArn: string;
  readonly rootCertificate: string;
}

/** What every source of certificates does; run against the fake and against ACM's adapter. */
export function certificateSourceContract(setUp: () => Promise<CertificateSourceSubject>): void {
  describe('a certificate source', () => {
    let subject: CertificateSourceSubject;

    beforeAll(async () => {
      subject = await setUp();
    });

    it('describes an issued certificate with its owner', async () => {
      const described = await subject.source.describe(subject.ownedArn);
      expect(described).toMatchObject({ status: 'ISSUED', owner: subject.owner });
      expect(described?.serial).toMatch(/^[1-9a-f][\da-f]*$/);
      expect(described?.notAfter?.getTime()).toBeGreaterThan(Date.now());
    });

    it('describes a certificate without our tags as nobody’s', async () => {
      const described = await subject.source.describe(subject.untaggedArn);
      expect(described).toMatchObject({ status: 'ISSUED' });
      expect(described).not.toHaveProperty('owner');
    });

    it('knows of no certificate under an unknown ARN', async () => {
      expect(await subject.source.describe(subject.unknownArn)).toBeUndefined();
    });

    it('exports a bundle that its node can use, with the serial it describes', async () => {
      const passphrase = new Sensitive('a-passphrase-of-the-contract');
      const described = await subject.source.describe(subject.ownedArn);
      const exported = await subject.source.export(subject.ownedArn, passphrase);
      const judged = judgeBundle({
        certificate: exported.certificate,
        chain: exported.chain,
        privateKey: { pem: exported.encryptedPrivateKey, passphrase },
        trustedRoots: subject.rootCertificate,
        expectedDnsName: subject.dnsName,
        role: subject.owner.role,
        now: new Date(),
      });
      expect(judged).toMatchObject({ verdict: 'usable', facts: { serial: described?.serial } });
      expect(readCertificate(exported.certificate).notAfter).toEqual(described?.notAfter);
    });

    it('exports under each passphrase a key that the other does not open', async () => {
      const exported = await subject.source.export(subject.ownedArn, new Sensitive('the-one-passphrase'));
      const judged = judgeBundle({
        certificate: exported.certificate,
        chain: exported.chain,
        privateKey: { pem: exported.encryptedPrivateKey, passphrase: new Sensitive('the-other-passphrase') },
        trustedRoots: subject.rootCertificate,
        expectedDnsName: subject.dnsName,
        role: subject.owner.role,
        now: new Date(),
      });
      expect(judged).toMatchObject({
        verdict: 'refused',
        problems: [{ code: 'ERR_KEY_DOES_NOT_OPEN' }],
      });
    });
  });
}
