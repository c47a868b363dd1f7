/**
 * Seals fields as AWS Encryption SDK messages under the tenant's branch key.
 *
 * KMS is asked for a branch key once in {@link BRANCH_KEY_SECONDS}, and for nothing else: never for a record.
 *
 * IAM: kms:Decrypt on the vault's key; dynamodb:GetItem on the key store's table.
 *
 * @module
 */

import {
  AlgorithmSuiteIdentifier,
  buildClient,
  CommitmentPolicy,
  KmsHierarchicalKeyRingNode,
} from '@aws-crypto/client-node';
import { KeyUnavailableError, RecordUnopenableError } from '../core/errors.ts';
import { isSameContext } from '../core/encryption-context.ts';
import type { FieldSealer } from '../core/ports.ts';
import { createBranchKeyCache } from './branch-key-cache.ts';
import { createBranchKeySource, type KeyStoreLocation, type Outages } from './branch-key-source.ts';

/** How long a task goes on with a branch key before it asks KMS again: the bound of a revocation. */
const BRANCH_KEY_SECONDS = 3600;

/** 0x0478: AES-256-GCM with key commitment and without a signature, which would cost milliseconds and prove nothing more here. */
const SUITE = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;

export interface EncryptionSdkSealerOptions extends KeyStoreLocation {
  /** For getting a branch key, retries and all. @default 2500 */
  readonly deadlineMs?: number;
}

export function createEncryptionSdkSealer(options: EncryptionSdkSealerOptions): FieldSealer {
  const outages: Outages = { count: 0, last: undefined };
  const keyring = new KmsHierarchicalKeyRingNode({
    keyStore: createBranchKeySource(options, options.deadlineMs ?? 2_500, outages),
    branchKeyIdSupplier: { getBranchKeyId: branchKeyIdOf },
    cacheLimitTtl: BRANCH_KEY_SECONDS,
    cache: createBranchKeyCache(),
  });
  const { encrypt, decrypt } = buildClient({
    commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
    maxEncryptedDataKeys: 1,
  });
  return {
    async seal(plaintext, context) {
      try {
        const encryptionContext = { ...context };
        return (await encrypt(keyring, plaintext, { suiteId: SUITE, encryptionContext })).result;
      } catch (error) {
        throw new KeyUnavailableError(error);
      }
    },
    async open(message, context) {
      const outagesBefore = outages.count;
      try {
        const { plaintext, messageHeader } = await decrypt(keyring, message);
        if (!isSameContext(context, messageHeader.encryptionContext)) throw new RecordUnopenableError();
        return plaintext;
      } catch (error) {
        if (outages.count !== outagesBefore) throw new KeyUnavailableError(outages.last);
        throw error instanceof RecordUnopenableError ? error : new RecordUnopenableError(error);
      }
    },
  };
}

/** A branch key is named as its tenant: docs/record-format.md. */
function branchKeyIdOf(context: Readonly<Record<string, string>>): string {
  return context['tenant'] ?? '';
}
