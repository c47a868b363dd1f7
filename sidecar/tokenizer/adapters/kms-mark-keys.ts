/**
 * The private keys of marks, in KMS.
 *
 * Only keys that were named to the service are asked for: what a text says is no reason to ask for another.
 * One call for each mark, which is beside the rule that a record needs none.
 *
 * IAM: kms:Decrypt on each of the keys.
 *
 * @module
 */

import {
  DecryptCommand,
  IncorrectKeyException,
  InvalidCiphertextException,
  type KMSClient,
} from '@aws-sdk/client-kms';
import { KeyUnavailableError } from '../core/errors.ts';
import type { MarkKeys } from '../core/marks/opening.ts';
import { answeredWithin } from './deadline.ts';

export interface KmsMarkKeysOptions {
  readonly kms: KMSClient;
  /** Asymmetric keys for encryption. Several while they rotate: each opens what was sealed under it. */
  readonly markKeyArns: readonly string[];
  /** @default 2500 */
  readonly deadlineMs?: number;
}

/** What RSA-4096 makes; KMS takes no more, and is not asked about it. */
const MAX_WRAPPED_BYTES = 512;

export function createKmsMarkKeys({ kms, markKeyArns, deadlineMs = 2_500 }: KmsMarkKeysOptions): MarkKeys {
  const arns = new Map(markKeyArns.map((arn) => [arn.slice(arn.indexOf('/') + 1), arn]));
  return {
    async unwrap(keyId, wrapped) {
      const KeyId = arns.get(keyId);
      if (KeyId === undefined || wrapped.length > MAX_WRAPPED_BYTES) return undefined;
      return await answeredWithin(deadlineMs, KeyUnavailableError, async (abortSignal) => {
        try {
          const command = new DecryptCommand({
            KeyId,
            CiphertextBlob: wrapped,
            EncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
          });
          return (await kms.send(command, { abortSignal })).Plaintext;
        } catch (error) {
          if (error instanceof InvalidCiphertextException || error instanceof IncorrectKeyException)
            return undefined;
          throw error;
        }
      });
    },
  };
}
