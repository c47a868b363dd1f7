/**
 * Which tenants' and subjects' keys were destroyed: a row in the key store that stays when the keys go.
 *
 * IAM: dynamodb:GetItem on the key store's table.
 *
 * @module
 */

import { GetItemCommand, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { KeyUnavailableError } from '../core/errors.ts';
import { answeredWithin } from './deadline.ts';
import type { KeyStoreLocation } from './branch-key-source.ts';

/** The `type` of the row; those of branch keys are the library's and begin with `branch:` or `beacon:`. */
export const DESTROYED_TYPE = 'destroyed';

/** So long a task may go on before it learns that a tenant's keys were destroyed, while the table answers. */
export const DESTROYED_SEEN_WITHIN_MS = 5_000;

/** So long at most, while it does not. */
export const DESTROYED_SEEN_AT_LAST_MS = 60_000;

export interface DestroyedKeys {
  /**
   * @returns What was true at most {@link DESTROYED_SEEN_WITHIN_MS} ago, or {@link DESTROYED_SEEN_AT_LAST_MS}
   *   where the table does not answer.
   * @throws {KeyUnavailableError} where nothing that young is known.
   */
  isDestroyed(branchKeyId: string): Promise<boolean>;
  /** As it is now. */
  isDestroyedNow(branchKeyId: string): Promise<boolean>;
}

interface Known {
  readonly isDestroyed: boolean;
  readonly at: number;
}

/** @param now - Milliseconds, of a clock that does not go back. */
export function createDestroyedKeys(
  location: Pick<KeyStoreLocation, 'dynamodb' | 'keysTableName'>,
  deadlineMs: number,
  now: () => number = () => performance.now(),
): DestroyedKeys {
  const known = new Map<string, Known>();
  const underWay = new Map<string, Promise<boolean>>();
  const isDestroyedNow = async (branchKeyId: string): Promise<boolean> => {
    const at = now();
    const isDestroyed = await answeredWithin(deadlineMs, KeyUnavailableError, async (abortSignal) => {
      const command = new GetItemCommand({
        TableName: location.keysTableName,
        Key: destroyedKey(branchKeyId),
        ConsistentRead: true,
      });
      return (await location.dynamodb.send(command, { abortSignal })).Item !== undefined;
    });
    known.set(branchKeyId, { isDestroyed, at });
    return isDestroyed;
  };
  const asked = async (branchKeyId: string): Promise<boolean> => {
    const joined =
      underWay.get(branchKeyId) ?? isDestroyedNow(branchKeyId).finally(() => underWay.delete(branchKeyId));
    underWay.set(branchKeyId, joined);
    return await joined;
  };
  return {
    isDestroyedNow,
    async isDestroyed(branchKeyId) {
      const found = known.get(branchKeyId);
      // What was destroyed stays so.
      if (found?.isDestroyed === true) return true;
      if (found !== undefined && now() - found.at < DESTROYED_SEEN_WITHIN_MS) return false;
      try {
        return await asked(branchKeyId);
      } catch (error) {
        if (found !== undefined && now() - found.at < DESTROYED_SEEN_AT_LAST_MS) return false;
        throw error;
      }
    },
  };
}

export function destroyedKey(branchKeyId: string): Record<string, AttributeValue> {
  return { 'branch-key-id': { S: branchKeyId }, type: { S: DESTROYED_TYPE } };
}
