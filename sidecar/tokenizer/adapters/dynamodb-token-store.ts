/**
 * The token store on DynamoDB: one item for a record, so that none is ever half written.
 *
 * IAM: dynamodb:PutItem, UpdateItem, BatchWriteItem, GetItem, BatchGetItem and DeleteItem on the table.
 *
 * @module
 */

import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
  type PutItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { RecordUnopenableError, StoreUnavailableError } from '../core/errors.ts';
import type { FindOutcome, RecordKey, TokenRecord, TokenStore } from '../core/ports.ts';
import { answeredWithin } from './deadline.ts';
import { readAll, writeAll, type Table } from './dynamodb-batches.ts';
import {
  codeItemKey,
  fromCodeItem,
  fromItem,
  itemKey,
  toCodeItem,
  toItem,
  type Item,
} from './record-item.ts';

export interface DynamodbTokenStoreOptions extends Table {
  /** For one record, retries and all. @default 2500 */
  readonly deadlineMs?: number;
  /** For all of a batch. @default 10000 */
  readonly batchDeadlineMs?: number;
  /** Told of a batch call that failed, since its items only say that they are unavailable. */
  readonly onFault: (error: unknown) => void;
}

export function createDynamodbTokenStore(options: DynamodbTokenStoreOptions): TokenStore {
  const { deadlineMs = 2_500, batchDeadlineMs = 10_000, onFault } = options;
  return {
    insert: (record, now) =>
      answeredWithin(deadlineMs, StoreUnavailableError, (signal) => put(options, record, now, signal)),
    async insertMany(records) {
      const signal = AbortSignal.timeout(batchDeadlineMs);
      const left = await writeAll(options, records.map(toItem), { signal, onFault });
      const unstored = new Set(left.map(partitionOf));
      return records.map((record) => (unstored.has(partitionOf(itemKey(record))) ? 'unavailable' : 'stored'));
    },
    async find(key) {
      const item = await answeredWithin(deadlineMs, StoreUnavailableError, (signal) =>
        get(options, itemKey(key), signal),
      );
      return item === undefined ? undefined : fromItem(key, item);
    },
    async findMany(keys) {
      const signal = AbortSignal.timeout(batchDeadlineMs);
      const wanted = new Map(keys.map((key) => [partitionOf(itemKey(key)), itemKey(key)]));
      const answer = await readAll(options, [...wanted.values()], { signal, onFault });
      const found = new Map(answer.found.map((item) => [partitionOf(item), item]));
      const unread = new Set(answer.unread.map(partitionOf));
      return keys.map((key) => outcomeOf(key, found, unread));
    },
    remove: (key) =>
      answeredWithin(deadlineMs, StoreUnavailableError, (signal) => remove(options, itemKey(key), signal)),
    async consume(tombstone) {
      const outcome = await answeredWithin(deadlineMs, StoreUnavailableError, (signal) =>
        swap(options, tombstone, UNCONSUMED, signal),
      );
      return outcome === 'swapped' ? 'consumed' : 'gone';
    },
    async replace(record, revision) {
      const outcome = await answeredWithin(deadlineMs, StoreUnavailableError, (signal) =>
        swap(options, record, ofRevision(revision), signal),
      );
      return outcome === 'swapped' ? 'replaced' : 'conflict';
    },
    async archive(key, archivedAt) {
      const item = await answeredWithin(deadlineMs, StoreUnavailableError, (signal) =>
        setArchived(options, key, archivedAt, signal),
      );
      return item === undefined ? 'unchanged' : fromItem(key, item);
    },
    async insertCodes(codes) {
      const signal = AbortSignal.timeout(batchDeadlineMs);
      const left = await writeAll(options, codes.map(toCodeItem), { signal, onFault });
      const unstored = new Set(left.map(partitionOf));
      return codes.map((code) => (unstored.has(partitionOf(itemKey(code))) ? 'unavailable' : 'stored'));
    },
    async findCode(key) {
      const item = await answeredWithin(deadlineMs, StoreUnavailableError, (signal) =>
        get(options, codeItemKey(key), signal),
      );
      return item === undefined ? undefined : fromCodeItem(key, item);
    },
    async consumeCode(key) {
      const outcome = await answeredWithin(deadlineMs, StoreUnavailableError, (signal) =>
        remove(options, codeItemKey(key), signal),
      );
      return outcome === 'removed' ? 'consumed' : 'gone';
    },
    async checkReachable() {
      await answeredWithin(deadlineMs, StoreUnavailableError, (signal) =>
        get(options, itemKey(PROBE), signal),
      );
    },
  };
}

/** No token looks like this, so it is never there. */
const PROBE: RecordKey = { tenant: 'readiness', token: 'readiness' };

async function put(
  { client, tableName: TableName }: Table,
  record: TokenRecord,
  now: Date | undefined,
  abortSignal: AbortSignal,
): Promise<'stored' | 'taken'> {
  const isFree = 'attribute_not_exists(pk)';
  const condition =
    now === undefined
      ? { ConditionExpression: isFree }
      : {
          ConditionExpression: `${isFree} OR expiresAtMs <= :now`,
          ExpressionAttributeValues: { ':now': { N: String(now.getTime()) } },
        };
  try {
    await client.send(new PutItemCommand({ TableName, Item: toItem(record), ...condition }), { abortSignal });
    return 'stored';
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 'taken';
    throw error;
  }
}

type Condition = Pick<
  PutItemCommandInput,
  'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
>;

/** One write both takes the sealed fields away and leaves the tombstone: nothing is ever in between. */
const UNCONSUMED: Condition = {
  ConditionExpression:
    '#kind = :kind AND attribute_not_exists(consumedAtMs) AND attribute_not_exists(archivedAtMs)',
  ExpressionAttributeNames: { '#kind': 'kind' },
  ExpressionAttributeValues: { ':kind': { S: 'one-time' } },
};

function ofRevision(revision: number): Condition {
  return {
    ConditionExpression: 'revision = :revision AND attribute_not_exists(archivedAtMs)',
    ExpressionAttributeValues: { ':revision': { N: String(revision) } },
  };
}

/** Puts a record in the place of the one that meets the condition; where there is none, nothing does. */
async function swap(
  { client, tableName: TableName }: Table,
  record: TokenRecord,
  condition: Condition,
  abortSignal: AbortSignal,
): Promise<'swapped' | 'kept'> {
  try {
    const command = new PutItemCommand({ TableName, Item: toItem(record), ...condition });
    await client.send(command, { abortSignal });
    return 'swapped';
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 'kept';
    throw error;
  }
}

/** @returns The item as it is from now on; undefined where the condition does not hold. */
async function setArchived(
  { client, tableName: TableName }: Table,
  key: RecordKey,
  archivedAt: Date | undefined,
  abortSignal: AbortSignal,
): Promise<Item | undefined> {
  const change =
    archivedAt === undefined
      ? {
          UpdateExpression: 'REMOVE archivedAtMs',
          ConditionExpression: 'attribute_exists(archivedAtMs)',
        }
      : {
          UpdateExpression: 'SET archivedAtMs = :at',
          ConditionExpression:
            'attribute_exists(pk) AND attribute_not_exists(archivedAtMs) AND attribute_not_exists(consumedAtMs)',
          ExpressionAttributeValues: { ':at': { N: String(archivedAt.getTime()) } },
        };
  try {
    const command = new UpdateItemCommand({
      TableName,
      Key: itemKey(key),
      ...change,
      ReturnValues: 'ALL_NEW',
    });
    return (await client.send(command, { abortSignal })).Attributes;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}

async function get(
  { client, tableName: TableName }: Table,
  Key: Item,
  abortSignal: AbortSignal,
): Promise<Item | undefined> {
  const command = new GetItemCommand({ TableName, Key, ConsistentRead: true });
  return (await client.send(command, { abortSignal })).Item;
}

async function remove(
  { client, tableName: TableName }: Table,
  Key: Item,
  abortSignal: AbortSignal,
): Promise<'removed' | 'missing'> {
  const command = new DeleteItemCommand({ TableName, Key, ReturnValues: 'ALL_OLD' });
  const removed = await client.send(command, { abortSignal });
  return removed.Attributes === undefined ? 'missing' : 'removed';
}

function outcomeOf(
  key: RecordKey,
  found: ReadonlyMap<string, Item>,
  unread: ReadonlySet<string>,
): FindOutcome {
  const partition = partitionOf(itemKey(key));
  if (unread.has(partition)) return 'unavailable';
  const item = found.get(partition);
  if (item === undefined) return 'missing';
  try {
    return fromItem(key, item);
  } catch (error) {
    if (error instanceof RecordUnopenableError) return 'unopenable';
    throw error;
  }
}

function partitionOf(item: Item): string {
  return item['pk']?.S ?? '';
}
