/**
 * New messages in the place of those that were read: one conditional update of one attribute.
 *
 * IAM: dynamodb:UpdateItem on the tokens table.
 *
 * @module
 */

import {
  ConditionalCheckFailedException,
  UpdateItemCommand,
  type AttributeValue,
} from '@aws-sdk/client-dynamodb';
import { StoreUnavailableError } from '../core/errors.ts';
import type { ResealStore } from '../core/rewrapping/ports.ts';
import { answeredWithin } from './deadline.ts';
import type { Table } from './dynamodb-batches.ts';
import { codeItemKey, fromItem, itemKey, toItem, type Item } from './record-item.ts';

interface Swap {
  readonly key: Item;
  readonly attribute: string;
  readonly read: AttributeValue;
  readonly next: AttributeValue;
}

/** @default deadlineMs 2500 */
export function createDynamodbResealStore(table: Table, deadlineMs = 2_500): ResealStore {
  const swapped = async (swap: Swap): Promise<Item | undefined> =>
    await answeredWithin(deadlineMs, StoreUnavailableError, (signal) => swapOnce(table, swap, signal));
  return {
    async resealRecord(read, fields) {
      const item = await swapped({
        key: itemKey(read),
        attribute: 'fields',
        read: fieldsOf(toItem(read)),
        next: fieldsOf(toItem({ ...read, fields })),
      });
      return item === undefined ? 'changed' : fromItem(read, item);
    },
    async resealCode(read, message) {
      const item = await swapped({
        key: codeItemKey(read),
        attribute: 'message',
        read: { B: read.message },
        next: { B: message },
      });
      return item === undefined ? 'changed' : 'resealed';
    },
  };
}

/** @returns The item as it is from now on; undefined where the attribute is not what was read, or nothing is there. */
async function swapOnce(
  { client, tableName: TableName }: Table,
  { key: Key, attribute, read, next }: Swap,
  abortSignal: AbortSignal,
): Promise<Item | undefined> {
  const command = new UpdateItemCommand({
    TableName,
    Key,
    UpdateExpression: 'SET #attribute = :next',
    ConditionExpression: '#attribute = :read',
    ExpressionAttributeNames: { '#attribute': attribute },
    ExpressionAttributeValues: { ':read': read, ':next': next },
    ReturnValues: 'ALL_NEW',
  });
  try {
    return (await client.send(command, { abortSignal })).Attributes ?? {};
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}

function fieldsOf(item: Item): AttributeValue {
  return item['fields'] ?? { M: {} };
}
