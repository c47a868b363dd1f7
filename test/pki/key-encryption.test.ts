import { beforeAll, describe, expect, it } from '@jest/globals';
import { keyEncryptionOf } from '../../pki/key-encryption.ts';
import { openPrivateKey } from '../../pki/private-key.ts';
import { Sensitive } from '../../pki/sensitive.ts';
import { createTestHierarchy, type Authority } from '../support/issue-certificate.ts';
import { encryptWithOpenssl } from '../support/openssl.ts';

const PASSPHRASE = 'correct horse battery staple';

let leaf: Authority;
beforeAll(async () => {
  leaf = (await createTestHierarchy('own')).root;
});

describe('how a private key is encrypted', () => {
  it.each([
    [['-v2', 'aes-256-cbc'], 'PBES2, PBKDF2, HMAC-SHA256, AES-256'],
    [['-v2', 'aes-192-cbc'], 'PBES2, PBKDF2, HMAC-SHA256, AES-192'],
    [['-v2', 'aes-128-cbc'], 'PBES2, PBKDF2, HMAC-SHA256, AES-128'],
    [['-v2', 'des3'], 'PBES2, PBKDF2, HMAC-SHA256, 3DES'],
    [['-v2', 'aes-256-cbc', '-v2prf', 'hmacWithSHA1'], 'PBES2, PBKDF2, AES-256'],
  ])('is taken by Envoy with %j', (options, text) => {
    const pem = encryptWithOpenssl(leaf.key, PASSPHRASE, options);
    expect(keyEncryptionOf(pem)).toEqual({ isTakenByEnvoy: true, text });
    expect(openPrivateKey({ pem, passphrase: new Sensitive(PASSPHRASE) }).outcome).toBe('opened');
  });

  it.each([
    [['-scrypt'], 'PBES2, scrypt, AES-256'],
    [['-v2', 'aes-256-cbc', '-v2prf', 'hmacWithSHA512'], 'PBES2, PBKDF2, HMAC-SHA512, AES-256'],
    [['-v2', 'aes-256-cbc', '-v2prf', 'hmacWithSHA384'], 'PBES2, PBKDF2, HMAC-SHA384, AES-256'],
  ])('is refused with %j', (options, encryption) => {
    const pem = encryptWithOpenssl(leaf.key, PASSPHRASE, options);
    expect(openPrivateKey({ pem, passphrase: new Sensitive(PASSPHRASE) })).toEqual({
      outcome: 'not-for-envoy',
      encryption,
    });
  });

  it('is not told of what is no encrypted key', () => {
    const cut = '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----';
    for (const pem of ['', 'garbage', cut]) expect(keyEncryptionOf(pem)).toBeUndefined();
  });
});
