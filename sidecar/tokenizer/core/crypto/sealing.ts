/**
 * One value into one message under a branch key, and back: synchronous, and nothing but computation.
 *
 * @module
 */

import { RecordUnopenableError } from '../errors.ts';
import { PROVIDER_ID, unwrapDataKey, WRAP_RANDOM_BYTES, wrapDataKey, type BranchKey } from './data-key.ts';
import { secretOf } from './key-derivation.ts';
import { MESSAGE_ID_BYTES, openMessage, readMessage, writeMessage } from './message.ts';
import { DATA_KEY_BYTES } from './suite.ts';

/** Who does the computation: this thread, or others. */
export interface SealingWork {
  seal(branchKey: BranchKey, context: Uint8Array, plaintext: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /**
   * @param bytes - A message that {@link readMessage} takes.
   * @throws {RecordUnopenableError} or rejects with it.
   */
  open(branchKey: BranchKey, context: Uint8Array, bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** @param randomBytes - From a cryptographic source. */
export function sealingHere(randomBytes: (count: number) => Uint8Array): SealingWork {
  return {
    seal: (branchKey, context, plaintext) => sealValue(branchKey, context, plaintext, randomBytes),
    open: openValue,
  };
}

/**
 * Each value has a message id and a data key of its own.
 *
 * @param context - As {@link contextBytes} writes it.
 */
export function sealValue(
  branchKey: BranchKey,
  context: Uint8Array,
  plaintext: Uint8Array,
  randomBytes: (count: number) => Uint8Array,
): Uint8Array {
  const random = randomBytes(MESSAGE_ID_BYTES + DATA_KEY_BYTES + WRAP_RANDOM_BYTES);
  const keyEnd = MESSAGE_ID_BYTES + DATA_KEY_BYTES;
  const dataKey = random.subarray(MESSAGE_ID_BYTES, keyEnd);
  const wrappedDataKey = {
    providerId: PROVIDER_ID,
    providerInfo: Buffer.from(branchKey.id),
    bytes: wrapDataKey(branchKey, context, dataKey, random.subarray(keyEnd)),
  };
  const messageId = random.subarray(0, MESSAGE_ID_BYTES);
  return writeMessage({ messageId, context, wrappedDataKey }, secretOf(dataKey), plaintext);
}

/** @throws {RecordUnopenableError} Whatever it is that does not hold. */
export function openValue(branchKey: BranchKey, context: Uint8Array, bytes: Uint8Array): Uint8Array {
  const message = readMessage(bytes);
  if (message === 'other') throw new RecordUnopenableError();
  const dataKey = unwrapDataKey(branchKey, context, message.wrappedDataKey.bytes);
  if (dataKey === undefined) throw new RecordUnopenableError();
  return openMessage(message, dataKey);
}
