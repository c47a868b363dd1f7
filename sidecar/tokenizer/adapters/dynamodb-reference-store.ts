/**
 * Callers' own references, in the table of the tokens: `pk` is `reference#<tenant>#<reference>`, `sk` is
 * `reference`. One expires with the record that it leads to, and is swept with it.
 *
 * IAM: dynamodb:GetItem and PutItem on the table; a transaction needs no right of its own.
 *
 * @module
 */

import {
  GetItemCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
  type TransactWriteItem,
} from '@aws-sdk/client-dynamodb';
import { RecordUnopenableError, StoreUnavailableError } from '../core/errors.ts';
import type { TokenRecord } from '../core/ports.ts';
import type { ReferenceKey, ReferenceStore } from '../core/reference-store.ts';
import { answeredWithin } from './deadline.ts';
import type { Table } from './dynamodb-batches.ts';
import { expiryAttributes, toItem, type Item } from './record-item.ts';

/** @default deadlineMs 2500, for each call */
export function createDynamodbReferenceStore(
  { client, tableName: TableName }: Table,
  deadlineMs = 2_500,
): ReferenceStore {
  return {
    async find(key) {
      const { Item: found } = await answeredWithin(deadlineMs, StoreUnavailableError, (abortSignal) =>
        client.send(new GetItemCommand({ TableName, Key: keyOf(key), ConsistentRead: true }), {
          abortSignal,
        }),
      );
      if (found === undefined) return undefined;
      const token = found['token']?.S;
      if (token === undefined) throw new RecordUnopenableError();
      return token;
    },
    point: (key, record, seen) =>
      answeredWithin(deadlineMs, StoreUnavailableError, async (abortSignal) => {
        try {
          const TransactItems = [putRecord(TableName, record), putReference(TableName, key, record, seen)];
          await client.send(new TransactWriteItemsCommand({ TransactItems }), { abortSignal });
          return 'stored';
        } catch (error) {
          if (isConflict(error)) return 'conflict';
          throw error;
        }
      }),
  };
}

function putRecord(TableName: string, record: TokenRecord): TransactWriteItem {
  return {
    Put: { TableName, Item: toItem(record), ConditionExpression: 'attribute_not_exists(pk)' },
  };
}

function putReference(
  TableName: string,
  key: ReferenceKey,
  { token, expiresAt }: TokenRecord,
  seen: string | undefined,
): TransactWriteItem {
  const itemKey = keyOf(key);
  const Item = { ...itemKey, token: { S: token }, ...expiryAttributes(itemKey, expiresAt) };
  if (seen === undefined) {
    return { Put: { TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' } };
  }
  return {
    Put: {
      TableName,
      Item,
      ConditionExpression: '#token = :seen',
      ExpressionAttributeNames: { '#token': 'token' },
      ExpressionAttributeValues: { ':seen': { S: seen } },
    },
  };
}

/** Another transaction on the same items at the same time cancels one of the two, as a condition does. */
function isConflict(error: unknown): boolean {
  if (!(error instanceof TransactionCanceledException)) return false;
  const reasons = (error.CancellationReasons ?? []).map(({ Code }) => Code ?? 'None');
  const real = reasons.filter((reason) => reason !== 'None');
  return (
    real.length > 0 &&
    real.every((reason) => reason === 'ConditionalCheckFailed' || reason === 'TransactionConflict')
  );
}

function keyOf({ tenant, reference }: ReferenceKey): Item {
  return { pk: { S: `reference#${tenant}#${reference}` }, sk: { S: 'reference' } };
}
