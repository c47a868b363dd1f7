import { randomBytes, generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CertificateRole } from '../../mesh/definition.ts';
import { judgeBundle } from '../../pki/bundle.ts';
import { readCertificate } from '../../pki/certificate.ts';
import { certificateRequest } from '../../pki/certificate-request.ts';
import { Sensitive } from '../../pki/sensitive.ts';
import type {
  CertificateIssuer,
  CertificateOrder,
  IssuedCertificate,
} from '../../sidecar/envoy/cert-agent/issuance/ports.ts';

export interface CertificateIssuerSubject {
  /** Signs some hundred milliseconds after it took an order. */
  readonly issuer: CertificateIssuer;
  readonly roots: Readonly<Record<CertificateRole, string>>;
}

const NAME = 'order.tokenmesh.internal';
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

function order(role: CertificateRole, lifeSeconds = 120): CertificateOrder {
  return {
    role,
    request: certificateRequest(NAME, privateKey),
    notAfter: new Date(Date.now() + lifeSeconds * 1000),
    idempotencyToken: randomBytes(16).toString('hex'),
  };
}

/** What every issuer does; run against the fake and against the adapter of AWS Private CA. */
export function certificateIssuerContract(setUp: () => Promise<CertificateIssuerSubject>): void {
  describe('a certificate issuer', () => {
    let subject: CertificateIssuerSubject;

    beforeAll(async () => {
      subject = await setUp();
    });

    async function collected(role: CertificateRole, arn: string): Promise<IssuedCertificate> {
      for (;;) {
        const issued = await subject.issuer.collect(role, arn);
        if (issued !== undefined) return issued;
        await sleep(50);
      }
    }

    it.each<[CertificateRole, CertificateRole]>([
      ['client', 'server'],
      ['server', 'client'],
    ])('signs for a %s, whose certificate is no good as a %s', async (role, otherRole) => {
      const wish = order(role);
      const arn = await subject.issuer.place(wish);
      expect(arn).toMatch(/^arn:aws:acm-pca:.*certificate/);
      const issued = await collected(role, arn);
      const question = {
        ...issued,
        privateKey: new Sensitive(privateKey),
        trustedRoots: subject.roots[role],
        expectedDnsName: NAME,
        now: new Date(),
      };
      expect(judgeBundle({ ...question, role })).toMatchObject({ verdict: 'usable' });
      expect(judgeBundle({ ...question, role: otherRole })).toMatchObject({
        verdict: 'refused',
        problems: [{ code: 'ERR_EXTENDED_KEY_USAGE' }],
      });
      const seconds = Math.floor(wish.notAfter.getTime() / 1000);
      expect(readCertificate(issued.certificate).notAfter.getTime()).toBe(seconds * 1000);
    });

    it('has none to give before it has signed', async () => {
      const arn = await subject.issuer.place(order('client'));
      expect(await subject.issuer.collect('client', arn)).toBeUndefined();
      expect(await collected('client', arn)).toHaveProperty('certificate');
    });

    it('signs once for an order that comes again, and again for another', async () => {
      const wish = order('server');
      const arn = await subject.issuer.place(wish);
      expect(await subject.issuer.place(wish)).toBe(arn);
      expect(await subject.issuer.place(order('server'))).not.toBe(arn);
    });

    it('refuses a request that is none, and says what to do', async () => {
      const wish = { ...order('client'), request: 'of nobody' };
      await expect(subject.issuer.place(wish)).rejects.toMatchObject({
        code: 'ERR_ISSUE_REFUSED',
        remedy: expect.stringMatching(/./),
      });
    });
  });
}
