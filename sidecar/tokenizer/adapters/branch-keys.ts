import { BranchKeyStoreNode } from '@aws-crypto/client-node';
import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { keyStoreInput, type KeyStoreLocation } from './branch-key-source.ts';

/**
 * Makes the branch key of a tenant. The operator's work, under a role of its own: never a request's.
 *
 * IAM: kms:GenerateDataKeyWithoutPlaintext and kms:ReEncrypt* on the vault's key;
 * dynamodb:TransactWriteItems (PutItem) on the key store's table.
 *
 * @returns `'exists'`, with nothing changed, where the tenant has one.
 */
export async function createBranchKey(
  location: KeyStoreLocation,
  tenant: string,
): Promise<'created' | 'exists'> {
  const keyStore = new BranchKeyStoreNode(keyStoreInput(location));
  try {
    await keyStore.createKey({ branchKeyIdentifier: tenant, encryptionContext: { tenant } });
    return 'created';
  } catch (error) {
    if (isTaken(error)) return 'exists';
    throw error;
  }
}

function isTaken(error: unknown): boolean {
  return (
    error instanceof TransactionCanceledException &&
    (error.CancellationReasons ?? []).some(({ Code }) => Code === 'ConditionalCheckFailed')
  );
}
