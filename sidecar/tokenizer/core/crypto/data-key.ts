/**
 * Wraps a data key under a branch key, and unwraps it, as the Encryption SDK's hierarchical keyring does.
 *
 * A wrapped key is `salt(16) || iv(12) || branch key version(16) || encrypted key || tag(16)`. Bound to it
 * are the branch key's name and version and the encryption context of the message.
 *
 * @module
 */

import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { deriveWrappingKey, secretOf } from './key-derivation.ts';
import { CIPHER, IV_BYTES, TAG_BYTES } from './suite.ts';

/** One version of the key of a tenant or a subject. */
export interface BranchKey {
  readonly id: string;
  /** 16 bytes, the UUID of the version. */
  readonly version: Uint8Array;
  readonly key: KeyObject;
}

export const PROVIDER_ID = Buffer.from('aws-kms-hierarchy');

const SALT_BYTES = 16;
const VERSION_BYTES = 16;
const IV_END = SALT_BYTES + IV_BYTES;
const VERSION_END = IV_END + VERSION_BYTES;

/** Bytes of randomness that one wrapping takes: the salt and the IV. */
export const WRAP_RANDOM_BYTES = IV_END;

/**
 * @param context - As {@link contextBytes} writes it.
 * @param random - {@link WRAP_RANDOM_BYTES}, from a cryptographic source, used for nothing else.
 */
export function wrapDataKey(
  branchKey: BranchKey,
  context: Uint8Array,
  dataKey: Uint8Array,
  random: Uint8Array,
): Buffer {
  const cipher = createCipheriv(
    CIPHER,
    deriveWrappingKey(branchKey.key, random.subarray(0, SALT_BYTES)),
    random.subarray(SALT_BYTES),
  ).setAAD(boundTo(branchKey, context));
  return Buffer.concat([
    random,
    branchKey.version,
    cipher.update(dataKey),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
}

/** @returns Undefined for what was not wrapped by this key for this context. */
export function unwrapDataKey(
  branchKey: BranchKey,
  context: Uint8Array,
  wrapped: Uint8Array,
): KeyObject | undefined {
  if (wrapped.length <= VERSION_END + TAG_BYTES) return undefined;
  const wrappingKey = deriveWrappingKey(branchKey.key, wrapped.subarray(0, SALT_BYTES));
  const decipher = createDecipheriv(CIPHER, wrappingKey, wrapped.subarray(SALT_BYTES, IV_END), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(boundTo(branchKey, context))
    .setAuthTag(wrapped.subarray(-TAG_BYTES));
  try {
    const dataKey = decipher.update(wrapped.subarray(VERSION_END, -TAG_BYTES));
    decipher.final();
    return secretOf(dataKey);
  } catch {
    return undefined;
  }
}

/** The version of the branch key that wrapped it, as 16 bytes; undefined for what is too short to say. */
export function versionInWrapped(wrapped: Uint8Array): Uint8Array | undefined {
  return wrapped.length < VERSION_END ? undefined : wrapped.subarray(IV_END, VERSION_END);
}

function boundTo({ id, version }: BranchKey, context: Uint8Array): Buffer {
  return Buffer.concat([PROVIDER_ID, Buffer.from(id), version, context]);
}
