/**
 * The mark of a tenant's or a subject's key that was destroyed: a row in the key store that stays when the
 * keys go.
 *
 * IAM: dynamodb:GetItem on the key store's table.
 *
 * @module
 */

import { GetItemCommand, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { KeyUnavailableError } from '../core/errors.ts';
import { answeredWithin } from './deadline.ts';
import type { KeyStoreLocation } from './branch-key-store.ts';

/** The `type` of the row; those of branch keys are the library's and begin with `branch:` or `beacon:`. */
export const DESTROYED_TYPE = 'destroyed';

const DEADLINE_MS = 5_000;

/** As it is now: for the operator. A task hears of it with everything else about the key. */
export async function isDestroyed(
  { dynamodb, keysTableName: TableName }: Pick<KeyStoreLocation, 'dynamodb' | 'keysTableName'>,
  branchKeyId: string,
): Promise<boolean> {
  return await answeredWithin(DEADLINE_MS, KeyUnavailableError, async (abortSignal) => {
    const command = new GetItemCommand({ TableName, Key: destroyedKey(branchKeyId), ConsistentRead: true });
    return (await dynamodb.send(command, { abortSignal })).Item !== undefined;
  });
}

export function destroyedKey(branchKeyId: string): Record<string, AttributeValue> {
  return { 'branch-key-id': { S: branchKeyId }, type: { S: DESTROYED_TYPE } };
}
