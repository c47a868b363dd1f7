import { describe, expect, it } from '@jest/globals';
import { daysLeft, readCertificate, readCertificates, splitPem } from '../../pki/certificate.ts';
import { issueCertificate, SERVER_AUTH } from '../support/issue-certificate.ts';

describe('the facts of a certificate', () => {
  it('hold what the certificate says', async () => {
    const notBefore = new Date('2026-01-01T00:00:00Z');
    const notAfter = new Date('2027-01-31T00:00:00Z');
    const issued = await issueCertificate({
      commonName: 'order.tokenmesh.internal',
      dnsNames: ['order.tokenmesh.internal', 'order.local'],
      extendedKeyUsage: [SERVER_AUTH],
      serial: '00ab01',
      notBefore,
      notAfter,
    });
    expect(readCertificate(issued.certificate)).toMatchObject({
      serial: 'ab01',
      subject: 'CN=order.tokenmesh.internal',
      issuer: 'CN=order.tokenmesh.internal',
      dnsNames: ['order.tokenmesh.internal', 'order.local'],
      extendedKeyUsage: [SERVER_AUTH],
      isCa: false,
      keyAlgorithm: { type: 'ec', curve: 'prime256v1' },
      notBefore,
      notAfter,
    });
  });

  it('take a name that holds a comma for one name', async () => {
    const issued = await issueCertificate({ commonName: 'x', dnsNames: ['a.test, DNS:evil.test', 'b.test'] });
    expect(readCertificate(issued.certificate).dnsNames).toEqual(['a.test, DNS:evil.test', 'b.test']);
  });

  it('are without names and usages when the extensions are absent', async () => {
    const issued = await issueCertificate({ commonName: 'x' });
    expect(readCertificate(issued.certificate)).toMatchObject({ dnsNames: [], extendedKeyUsage: [] });
  });

  it('refuses what is no certificate', () => {
    expect(() => readCertificate('garbage')).toThrow(
      expect.objectContaining({ code: 'ERR_CERTIFICATE_UNREADABLE' }),
    );
  });
});

describe('a bundle', () => {
  it('is split into its certificates, in order', async () => {
    const [first, second] = [
      await issueCertificate({ commonName: 'first' }),
      await issueCertificate({ commonName: 'second' }),
    ];
    const bundle = `first:\n${first.certificate}${second.certificate}`;
    expect(splitPem(bundle).map((pem) => readCertificate(pem).subject)).toEqual(['CN=first', 'CN=second']);
    expect(readCertificates(bundle).isWhole).toBe(false);
    expect(readCertificates(first.certificate + second.certificate).isWhole).toBe(true);
  });

  it('of nothing has no certificates', () => {
    expect(splitPem('')).toEqual([]);
    expect(readCertificates('')).toEqual({ certificates: [], isWhole: true });
  });
});

describe('the days left', () => {
  it.each([
    ['2026-06-01T00:00:00Z', 10],
    ['2026-06-01T00:00:01Z', 9],
    ['2026-06-10T23:59:59Z', 0],
    ['2026-06-11T00:00:01Z', -1],
  ])('at %s are %i', (now, expected) => {
    expect(daysLeft({ notAfter: new Date('2026-06-11T00:00:00Z') }, new Date(now))).toBe(expected);
  });
});
