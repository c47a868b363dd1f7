/**
 * Seals fields as AWS Encryption SDK messages under the branch key of the tenant, or of the subject
 * where the context names one.
 *
 * KMS is asked for a tenant's branch key once in {@link BRANCH_KEY_SECONDS}, and for nothing else: never
 * for a record. A subject's is asked for once in {@link SUBJECT_KEY_SECONDS}, since each task may go on
 * that long after it was destroyed; a tenant's is dropped sooner (destroyed-keys.ts).
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
import { isSameContext, type EncryptionContext } from '../core/encryption-context.ts';
import {
  KeyUnavailableError,
  RecordUnopenableError,
  SubjectShreddedError,
  SubjectUnknownError,
  TenantShreddedError,
} from '../core/errors.ts';
import type { FieldSealer } from '../core/ports.ts';
import { createBranchKeyCache } from './branch-key-cache.ts';
import { createBranchKeySource, type KeyStoreLocation, type Outages } from './branch-key-source.ts';
import { createDestroyedKeys } from './destroyed-keys.ts';

/** How long a task goes on with a branch key before it asks KMS again: the bound of a revocation. */
const BRANCH_KEY_SECONDS = 3600;

/** How long a task may go on with the key of a subject that was destroyed. */
export const SUBJECT_KEY_SECONDS = 30;

/** Subjects whose keys are held at a time; whoever has more of them on one task asks KMS more often. */
const SUBJECT_KEYS = 1_000;

/** 0x0478: AES-256-GCM with key commitment and without a signature, which would cost milliseconds and prove nothing more here. */
const SUITE = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;

export interface EncryptionSdkSealerOptions extends KeyStoreLocation {
  /** For getting a branch key, retries and all. @default 2500 */
  readonly deadlineMs?: number;
}

export function createEncryptionSdkSealer(options: EncryptionSdkSealerOptions): FieldSealer {
  const { deadlineMs = 2_500 } = options;
  const outages: Outages = { count: 0, last: undefined };
  const keyStore = createBranchKeySource(options, deadlineMs, outages);
  const branchKeyIdSupplier = { getBranchKeyId: branchKeyIdOf };
  const tenantKeys = createBranchKeyCache();
  const ofTenants = new KmsHierarchicalKeyRingNode({
    keyStore,
    branchKeyIdSupplier,
    cacheLimitTtl: BRANCH_KEY_SECONDS,
    cache: tenantKeys,
  });
  const ofSubjects = new KmsHierarchicalKeyRingNode({
    keyStore,
    branchKeyIdSupplier,
    cacheLimitTtl: SUBJECT_KEY_SECONDS,
    cache: createBranchKeyCache({ capacity: SUBJECT_KEYS }),
  });
  const keyringOf = ({ subject }: EncryptionContext) => (subject === undefined ? ofTenants : ofSubjects);
  const { encrypt, decrypt } = buildClient({
    commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
    maxEncryptedDataKeys: 1,
  });
  const destroyed = createDestroyedKeys(options, deadlineMs);
  const requireKept = async ({ tenant }: EncryptionContext): Promise<void> => {
    if (!(await destroyed.isDestroyed(tenant))) return;
    tenantKeys.forget(tenant);
    throw new TenantShreddedError();
  };
  /** A key that is not there, of a subject: was it destroyed, or never made? */
  const isSubjectShredded = async (context: EncryptionContext): Promise<boolean> =>
    context.subject !== undefined && (await destroyed.isDestroyedNow(branchKeyIdOf(context)));
  return {
    async seal(plaintext, context) {
      await requireKept(context);
      const outagesBefore = outages.count;
      try {
        const encryptionContext = { ...context };
        return (await encrypt(keyringOf(context), plaintext, { suiteId: SUITE, encryptionContext })).result;
      } catch (error) {
        if (context.subject === undefined || outages.count !== outagesBefore)
          throw new KeyUnavailableError(error);
        throw (await isSubjectShredded(context)) ? new SubjectShreddedError() : new SubjectUnknownError();
      }
    },
    async open(message, context) {
      await requireKept(context);
      const outagesBefore = outages.count;
      try {
        const { plaintext, messageHeader } = await decrypt(keyringOf(context), message);
        if (!isSameContext(context, messageHeader.encryptionContext)) throw new RecordUnopenableError();
        return plaintext;
      } catch (error) {
        if (outages.count !== outagesBefore) throw new KeyUnavailableError(outages.last);
        if (await isSubjectShredded(context)) throw new SubjectShreddedError();
        throw error instanceof RecordUnopenableError ? error : new RecordUnopenableError(error);
      }
    },
  };
}

/** A branch key is named as its tenant, a subject's as tenant and subject: docs/record-format.md. No tenant has a slash in its name. */
export function branchKeyIdOf(context: Readonly<Record<string, string>>): string {
  const { tenant = '', subject } = context;
  return subject === undefined ? tenant : `${tenant}/${subject}`;
}
