/**
 * What has expired, found by the index `by-expiry` of the table of the tokens: hash `sweepBucket`, range
 * `expiresAtMs`, keys alone. Only items that expire are in it.
 *
 * IAM: dynamodb:Query on the index, dynamodb:DeleteItem on the table.
 *
 * @module
 */

import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  QueryCommand,
  type CreateTableCommandInput,
} from '@aws-sdk/client-dynamodb';
import { StoreUnavailableError } from '../core/errors.ts';
import type { ExpiredItem, SweepStore } from '../core/sweeping.ts';
import { answeredWithin } from './deadline.ts';
import type { Table } from './dynamodb-batches.ts';
import { keyOfItem, type Item } from './record-item.ts';

export const EXPIRY_INDEX = 'by-expiry';

/** The table of the tokens, as it is made everywhere. */
export function tokensTable(tableName: string): CreateTableCommandInput {
  return {
    TableName: tableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: 'sk', AttributeType: 'S' },
      { AttributeName: 'sweepBucket', AttributeType: 'S' },
      { AttributeName: 'expiresAtMs', AttributeType: 'N' },
    ],
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: EXPIRY_INDEX,
        KeySchema: [
          { AttributeName: 'sweepBucket', KeyType: 'HASH' },
          { AttributeName: 'expiresAtMs', KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
    ],
  };
}

export interface SweepStoreOptions extends Table {
  /** For each call. @default 5000 */
  readonly deadlineMs?: number;
  /** The most items of a page. @default 500 */
  readonly pageItems?: number;
}

export function createDynamodbSweepStore(options: SweepStoreOptions): SweepStore {
  const { client, tableName: TableName, deadlineMs = 5_000 } = options;
  return {
    async *expiredIn(bucket, now) {
      let after: Item | undefined;
      do {
        const page = await queryPage(options, bucket, now, after);
        if (page.items.length > 0) yield page.items;
        after = page.last;
      } while (after !== undefined);
    },
    removeExpired: ({ partition, sortKey, expiresAt }) =>
      answeredWithin(deadlineMs, StoreUnavailableError, async (abortSignal) => {
        try {
          const command = new DeleteItemCommand({
            TableName,
            Key: { pk: { S: partition }, sk: { S: sortKey } },
            ConditionExpression: 'expiresAtMs = :seen',
            ExpressionAttributeValues: { ':seen': { N: String(expiresAt.getTime()) } },
          });
          await client.send(command, { abortSignal });
          return 'removed';
        } catch (error) {
          if (error instanceof ConditionalCheckFailedException) return 'kept';
          throw error;
        }
      }),
  };
}

/** One page has a deadline, and not all of them: a bucket that holds much must not be one that is never swept. */
async function queryPage(
  { client, tableName: TableName, deadlineMs = 5_000, pageItems: Limit = 500 }: SweepStoreOptions,
  bucket: string,
  now: Date,
  after: Item | undefined,
): Promise<{ readonly items: readonly ExpiredItem[]; readonly last: Item | undefined }> {
  const command = new QueryCommand({
    TableName,
    IndexName: EXPIRY_INDEX,
    Limit,
    KeyConditionExpression: 'sweepBucket = :bucket AND expiresAtMs <= :now',
    ExpressionAttributeValues: { ':bucket': { S: bucket }, ':now': { N: String(now.getTime()) } },
    ...(after === undefined ? {} : { ExclusiveStartKey: after }),
  });
  const { Items, LastEvaluatedKey } = await answeredWithin(deadlineMs, StoreUnavailableError, (abortSignal) =>
    client.send(command, { abortSignal }),
  );
  return { items: (Items ?? []).map(expiredItem), last: LastEvaluatedKey };
}

function expiredItem(item: Item): ExpiredItem {
  const key = keyOfItem(item);
  return {
    partition: item['pk']?.S ?? '',
    sortKey: item['sk']?.S ?? '',
    expiresAt: new Date(Number(item['expiresAtMs']?.N)),
    ...(key === undefined ? {} : { key }),
  };
}
