/**
 * The index of fingerprints on DynamoDB: a table of its own, so that who reads tokens, masked values or
 * last four digits reads no fingerprint, and the other way round (PCI DSS 4.0 requirement 3.5.1).
 *
 * IAM: dynamodb:GetItem, Query, PutItem, BatchWriteItem and DeleteItem on the table, for the tokenizer alone.
 *
 * @module
 */

import {
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { StoreUnavailableError } from '../core/errors.ts';
import type { FingerprintIndex, IndexKey, IndexRow } from '../core/fingerprints/ports.ts';
import { answeredWithin } from './deadline.ts';
import { partsOf, writeAll, type Table } from './dynamodb-batches.ts';
import type { Item } from './record-item.ts';

export interface FingerprintIndexOptions extends Table {
  /** @default 2500 */
  readonly deadlineMs?: number;
  readonly onFault: (error: unknown) => void;
}

const DELETES_PER_CALL = 25;

export function createDynamodbFingerprintIndex(options: FingerprintIndexOptions): FingerprintIndex {
  const { client, tableName: TableName, deadlineMs = 2_500, onFault } = options;
  const answered = <Result>(call: (signal: AbortSignal) => Promise<Result>): Promise<Result> =>
    answeredWithin(deadlineMs, StoreUnavailableError, call);
  return {
    claim: (row) =>
      answered(async (abortSignal) => {
        try {
          const command = new PutItemCommand({
            TableName,
            Item: itemOf(row),
            ConditionExpression: 'attribute_not_exists(pk)',
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          });
          await client.send(command, { abortSignal });
          return 'claimed';
        } catch (error) {
          if (!(error instanceof ConditionalCheckFailedException)) throw error;
          return error.Item?.['token']?.B ?? (await find(options, row, abortSignal)) ?? missing();
        }
      }),
    async put(rows) {
      const signal = AbortSignal.timeout(deadlineMs * 4);
      const left = await writeAll(options, distinct(rows).map(itemOf), { signal, onFault });
      if (left.length > 0) throw new StoreUnavailableError();
    },
    find: (key) => answered((signal) => find(options, key, signal)),
    list: (partition, prefix, limit) =>
      answered(async (abortSignal) => {
        const command = new QueryCommand({
          TableName,
          KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
          ExpressionAttributeValues: { ':pk': { S: partition }, ':prefix': { S: prefix } },
          ConsistentRead: true,
          Limit: limit,
        });
        const { Items } = await client.send(command, { abortSignal });
        return (Items ?? []).map(rowOf);
      }),
    remove: (keys) =>
      answered(async (abortSignal) => {
        for (const part of partsOf(distinct(keys), DELETES_PER_CALL)) {
          const requests = part.map((key) => ({ DeleteRequest: { Key: keyOf(key) } }));
          const command = new BatchWriteItemCommand({ RequestItems: { [TableName]: requests } });
          const { UnprocessedItems } = await client.send(command, { abortSignal });
          if ((UnprocessedItems?.[TableName] ?? []).length > 0) throw new Error('expected all to be removed');
        }
      }),
  };
}

async function find(
  { client, tableName: TableName }: Table,
  key: IndexKey,
  abortSignal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const command = new GetItemCommand({ TableName, Key: keyOf(key), ConsistentRead: true });
  return (await client.send(command, { abortSignal })).Item?.['token']?.B;
}

/** Removed between the claim and the look: as if nothing had answered, so that it is tried again. */
function missing(): never {
  throw new Error('expected the row that was in the way');
}

/** DynamoDB refuses a call that names an item twice, as two fields of one class and value do. */
function distinct<Key extends IndexKey>(keys: readonly Key[]): Key[] {
  return [...new Map(keys.map((key) => [`${key.partition} ${key.sortKey}`, key])).values()];
}

function keyOf({ partition, sortKey }: IndexKey): Item {
  return { pk: { S: partition }, sk: { S: sortKey } };
}

function itemOf(row: IndexRow): Item {
  const seconds = row.expiresAt === undefined ? undefined : Math.ceil(row.expiresAt.getTime() / 1000);
  return {
    ...keyOf(row),
    token: { B: row.sealedToken },
    ...(seconds === undefined ? {} : { expiresAt: { N: String(seconds) } }),
  };
}

function rowOf(item: Item): IndexRow {
  const seconds = item['expiresAt']?.N;
  return {
    partition: item['pk']?.S ?? '',
    sortKey: item['sk']?.S ?? '',
    sealedToken: item['token']?.B ?? new Uint8Array(),
    ...(seconds === undefined ? {} : { expiresAt: new Date(Number(seconds) * 1000) }),
  };
}
