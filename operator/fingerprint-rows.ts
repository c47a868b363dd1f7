/**
 * What an old version of a fingerprint key leaves: rows of the index, and the wrapped key itself.
 *
 * IAM: dynamodb:Scan and DeleteItem on the index; Query and DeleteItem on the key store; GetItem on the partition
 * `job` of the tokens table. No right to any key.
 *
 * @module
 */

import { DeleteItemCommand, paginateQuery, paginateScan } from '@aws-sdk/client-dynamodb';
import type { KeyLocation } from '../sidecar/tokenizer/adapters/branch-keys.ts';
import type { Table } from '../sidecar/tokenizer/adapters/dynamodb-batches.ts';
import { readJobProgress } from '../sidecar/tokenizer/adapters/dynamodb-job-store.ts';
import { fingerprintKeyId, versionRowKey } from '../sidecar/tokenizer/adapters/fingerprint-state.ts';
import { reindexJob, type ReindexProgress } from '../sidecar/tokenizer/core/fingerprints/reindexing.ts';
import { claimKey, PLACE_PREFIX } from '../sidecar/tokenizer/core/fingerprints/sealed-token.ts';
import { inParallel } from '../sidecar/tokenizer/core/in-parallel.ts';

export interface OldRows {
  readonly removed: number;
  /** Rows of one-way tokens whose value was not seen since: nobody can index them anew. */
  readonly oneWayLeft: number;
}

const ONE_WAY = claimKey('one-way', '');
const WIDTH = 8;

export async function removeRowsOfVersion(
  { client, tableName: TableName }: Table,
  tenant: string,
  version: number,
  oneWayToo: boolean,
): Promise<OldRows> {
  const counts = { removed: 0, oneWayLeft: 0 };
  const pages = paginateScan(
    { client },
    {
      TableName,
      FilterExpression: 'begins_with(pk, :prefix)',
      ExpressionAttributeValues: { ':prefix': { S: `${tenant}#${version}#` } },
      ProjectionExpression: 'pk, sk',
      ConsistentRead: true,
    },
  );
  for await (const { Items } of pages) {
    await inParallel(Items ?? [], WIDTH, async (Key) => {
      const sortKey = Key['sk']?.S ?? '';
      if (!oneWayToo && (sortKey.startsWith(ONE_WAY) || sortKey.startsWith(PLACE_PREFIX))) {
        if (sortKey.startsWith(ONE_WAY)) counts.oneWayLeft += 1;
        return;
      }
      await client.send(new DeleteItemCommand({ TableName, Key }));
      counts.removed += 1;
    });
  }
  return counts;
}

/** Destroys the wrapped keys of all versions that are not read, those too that a command cut off left. */
export async function deleteVersionsBut(
  { dynamodb: client, keysTableName: TableName }: KeyLocation,
  tenant: string,
  read: readonly number[],
): Promise<void> {
  const kept = new Set(read.map((version) => versionRowKey(tenant, version)['type']?.S));
  const pages = paginateQuery(
    { client },
    {
      TableName,
      KeyConditionExpression: '#id = :id AND begins_with(#type, :version)',
      ExpressionAttributeNames: { '#id': 'branch-key-id', '#type': 'type' },
      ExpressionAttributeValues: { ':id': { S: fingerprintKeyId(tenant) }, ':version': { S: 'version#' } },
      ProjectionExpression: '#id, #type',
      ConsistentRead: true,
    },
  );
  for await (const { Items } of pages) {
    for (const Key of Items ?? []) {
      if (!kept.has(Key['type']?.S)) await client.send(new DeleteItemCommand({ TableName, Key }));
    }
  }
}

/** @returns Undefined where no task has begun. */
export async function readReindexProgress(
  table: Table,
  tenant: string,
): Promise<ReindexProgress | undefined> {
  const progress = await readJobProgress(table, reindexJob(tenant));
  return progress === undefined ? undefined : (JSON.parse(progress) as ReindexProgress);
}
