/**
 * Makes versions of fingerprint keys: the operator's work, under a role of its own.
 *
 * IAM: kms:GenerateDataKeyWithoutPlaintext on the vault's key; dynamodb:GetItem and PutItem on the key
 * store's table. No right to unwrap what it makes.
 *
 * @module
 */

import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { GenerateDataKeyWithoutPlaintextCommand } from '@aws-sdk/client-kms';
import { FINGERPRINT_SECRET_BYTES } from '../core/fingerprints/version-keys.ts';
import type { KeyStoreLocation } from './branch-key-store.ts';
import {
  fingerprintKeyContext,
  readFingerprintState,
  versionRowKey,
  writeFingerprintState,
} from './fingerprint-state.ts';

/** The first version of a tenant's key. @returns `'exists'`, with nothing changed, where there is one. */
export async function createFingerprintKey(
  location: KeyStoreLocation,
  tenant: string,
): Promise<'created' | 'exists'> {
  if ((await readFingerprintState(location, tenant)) !== undefined) return 'exists';
  await createFingerprintVersion(location, tenant, 1);
  const first = { write: [1], read: [1], phase: 'steady', revision: 1 } as const;
  return (await writeFingerprintState(location, tenant, first)) ? 'created' : 'exists';
}

/** Leaves a version alone that is there: what it made cannot be made again. */
export async function createFingerprintVersion(
  { dynamodb, kms, keysTableName: TableName, kmsKeyArn: KeyId }: KeyStoreLocation,
  tenant: string,
  version: number,
): Promise<void> {
  const { CiphertextBlob } = await kms.send(
    new GenerateDataKeyWithoutPlaintextCommand({
      KeyId,
      NumberOfBytes: FINGERPRINT_SECRET_BYTES,
      EncryptionContext: fingerprintKeyContext(tenant, version),
    }),
  );
  if (CiphertextBlob === undefined) throw new Error('expected KMS to make a key');
  try {
    await dynamodb.send(
      new PutItemCommand({
        TableName,
        Item: { ...versionRowKey(tenant, version), wrapped: { B: CiphertextBlob } },
        ConditionExpression: 'attribute_not_exists(#id)',
        ExpressionAttributeNames: { '#id': 'branch-key-id' },
      }),
    );
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ConditionalCheckFailedException') throw error;
  }
}
