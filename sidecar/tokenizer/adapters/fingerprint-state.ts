/**
 * Which versions of a tenant's fingerprint key there are, and what is done with each: rows of the key store,
 * under the `branch-key-id` `fingerprint#<tenant>`. `type` is `state`, or `version#<n>` with the wrapped key.
 *
 * @module
 */

import { ConditionalCheckFailedException, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { KeyLocation } from './branch-keys.ts';

/**
 * Where a rotation is. `steady`: none is under way. `reading`: all tasks read the new version too.
 * `writing`: all tasks write both. `indexing`: what was stored before is indexed under the new one.
 * `retiring`: the old one is written no more.
 */
export type RotationPhase = 'steady' | 'reading' | 'writing' | 'indexing' | 'retiring';

export interface FingerprintState {
  /** Oldest first. */
  readonly write: readonly number[];
  /** Newest first. */
  readonly read: readonly number[];
  readonly phase: RotationPhase;
  /** One more for each change, so that two operators do not overtake each other. */
  readonly revision: number;
}

type Row = Record<string, AttributeValue>;

const STATE_TYPE = 'state';

export function fingerprintKeyId(tenant: string): string {
  return `fingerprint#${tenant}`;
}

export function versionRowKey(tenant: string, version: number): Row {
  return { 'branch-key-id': { S: fingerprintKeyId(tenant) }, type: { S: `version#${version}` } };
}

/** What the wrapped key of a version is bound to in KMS. */
export function fingerprintKeyContext(tenant: string, version: number): Record<string, string> {
  return { purpose: 'tokenmesh fingerprints', tenant, version: String(version) };
}

export async function readFingerprintState(
  { dynamodb, keysTableName: TableName }: KeyLocation,
  tenant: string,
  abortSignal?: AbortSignal,
): Promise<FingerprintState | undefined> {
  const Key = { 'branch-key-id': { S: fingerprintKeyId(tenant) }, type: { S: STATE_TYPE } };
  const command = new GetItemCommand({ TableName, Key, ConsistentRead: true });
  const { Item } = await dynamodb.send(command, abortSignal === undefined ? {} : { abortSignal });
  return Item?.['state']?.S === undefined ? undefined : (JSON.parse(Item['state'].S) as FingerprintState);
}

/** @returns Whether it was written: not where another changed it meanwhile. */
export async function writeFingerprintState(
  { dynamodb, keysTableName: TableName }: KeyLocation,
  tenant: string,
  state: FingerprintState,
): Promise<boolean> {
  const isFirst = state.revision === 1;
  try {
    await dynamodb.send(
      new PutItemCommand({
        TableName,
        Item: {
          'branch-key-id': { S: fingerprintKeyId(tenant) },
          type: { S: STATE_TYPE },
          state: { S: JSON.stringify(state) },
          revision: { N: String(state.revision) },
        },
        ConditionExpression: isFirst ? 'attribute_not_exists(#id)' : 'revision = :before',
        ...(isFirst
          ? { ExpressionAttributeNames: { '#id': 'branch-key-id' } }
          : { ExpressionAttributeValues: { ':before': { N: String(state.revision - 1) } } }),
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
