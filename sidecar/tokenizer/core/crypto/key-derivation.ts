/**
 * The two key derivations of the AWS Encryption SDK that we need, over KeyObjects.
 *
 * @module
 */

import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { SUITE_ID } from './suite.ts';

/** What is derived from a data key for one message: the key it is encrypted under, and what commits to it. */
export interface MessageKeys {
  readonly encryptionKey: KeyObject;
  /** 32 bytes, which stand in the header. */
  readonly commitment: Buffer;
}

const COMMIT_INFO = Buffer.concat([Buffer.from('COMMITKEY'), Buffer.of(1)]);
const ENCRYPT_INFO = Buffer.concat([SUITE_ID, Buffer.from('DERIVEKEY'), Buffer.of(1)]);
const DERIVED_BYTES = 32;

/**
 * HKDF with SHA-512 (RFC 5869), whose salt is the message id: Encryption SDK specification, "algorithm
 * suites", suite 0x0478. Both outputs are shorter than one hash, so each is one block of the expansion.
 *
 * @param dataKey - 32 bytes.
 * @param messageId - 32 bytes.
 */
export function deriveMessageKeys(dataKey: KeyObject, messageId: Uint8Array): MessageKeys {
  const secret = dataKey.export();
  const extracted = createHmac('sha512', createSecretKey(messageId)).update(secret).digest();
  const pseudoRandomKey = secretOf(extracted);
  secret.fill(0);
  const expand = (info: Buffer): Buffer =>
    createHmac('sha512', pseudoRandomKey).update(info).digest().subarray(0, DERIVED_BYTES);
  return { encryptionKey: secretOf(expand(ENCRYPT_INFO)), commitment: expand(COMMIT_INFO) };
}

/** Counter 1, the label, a zero; then the salt and the length of the output in bits. */
const BEFORE_SALT = Buffer.concat([Buffer.of(0, 0, 0, 1), Buffer.from('aws-kms-hierarchy'), Buffer.of(0)]);
const AFTER_SALT = Buffer.of(0, 0, 1, 0);

/**
 * The key that wraps one data key: NIST SP 800-108r1 in counter mode with HMAC-SHA256, one block
 * (Encryption SDK specification, "hierarchical keyring").
 *
 * @param salt - 16 bytes, new for each data key: no derived key wraps two.
 */
export function deriveWrappingKey(branchKey: KeyObject, salt: Uint8Array): KeyObject {
  const hmac = createHmac('sha256', branchKey).update(BEFORE_SALT).update(salt).update(AFTER_SALT);
  return secretOf(hmac.digest());
}

/** Takes the bytes into a KeyObject, and overwrites them. */
export function secretOf(bytes: Uint8Array): KeyObject {
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}
