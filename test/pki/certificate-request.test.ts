import 'reflect-metadata';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
  type SubjectAlternativeNameExtension as Names,
} from '@peculiar/x509';
import { certificateRequest } from '../../pki/certificate-request.ts';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

describe('a request for signing', () => {
  it.each([
    'order.tokenmesh.internal',
    'a.b.internal',
    `${'n'.repeat(63)}.x`,
    `${'long'.repeat(15)}.${'name'.repeat(15)}.${'of'.repeat(30)}.internal`,
  ])('for %p is read by another library as it was meant', async (dnsName) => {
    const request = new Pkcs10CertificateRequest(certificateRequest(dnsName, privateKey));
    expect(await request.verify()).toBe(true);
    expect(request.subject).toBe(`CN=${dnsName}`);
    const names = request.extensions.find(
      (each): each is Names => each instanceof SubjectAlternativeNameExtension,
    );
    expect(names?.names.toJSON()).toEqual([{ type: 'dns', value: dnsName }]);
    const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
    expect(Buffer.from(request.publicKey.rawData).equals(publicKey)).toBe(true);
  });

  it('holds nothing of the private key', () => {
    const request = Buffer.from(
      certificateRequest('order.tokenmesh.internal', privateKey).replaceAll(/-----.*-----/g, ''),
      'base64',
    );
    const secret = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');
    expect(secret.length).toBe(32);
    expect(request.includes(secret)).toBe(false);
  });
});
