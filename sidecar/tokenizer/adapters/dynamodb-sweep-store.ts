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
  paginateQuery,
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

/** @default deadlineMs 5000, for each call */
export function createDynamodbSweepStore(
  { client, tableName: TableName }: Table,
  deadlineMs = 5_000,
): SweepStore {
  return {
    expiredIn: (bucket, now) =>
      answeredWithin(deadlineMs, StoreUnavailableError, async () => {
        const input = {
          TableName,
          IndexName: EXPIRY_INDEX,
          KeyConditionExpression: 'sweepBucket = :bucket AND expiresAtMs <= :now',
          ExpressionAttributeValues: { ':bucket': { S: bucket }, ':now': { N: String(now.getTime()) } },
        };
        const items: ExpiredItem[] = [];
        for await (const { Items } of paginateQuery({ client }, input))
          items.push(...(Items ?? []).map(expiredItem));
        return items;
      }),
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

function expiredItem(item: Item): ExpiredItem {
  const key = keyOfItem(item);
  return {
    partition: item['pk']?.S ?? '',
    sortKey: item['sk']?.S ?? '',
    expiresAt: new Date(Number(item['expiresAtMs']?.N)),
    ...(key === undefined ? {} : { key }),
  };
}
