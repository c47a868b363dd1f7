/**
 * The token store on DynamoDB: one item for a record, so that none is ever half written.
 *
 * IAM: dynamodb:PutItem, UpdateItem, BatchWriteItem, BatchGetItem and DeleteItem on the table.
 *
 * @module
 */

import type { DynamoDBClient, PutItemCommandInput } from '@aws-sdk/client-dynamodb';
import { RecordUnopenableError, StoreUnavailableError } from '../core/errors.ts';
import type { FindOutcome, RecordKey, TokenRecord, TokenStore } from '../core/ports.ts';
import { answeredWithin } from './deadline.ts';
import { isConditionFailed } from './dynamodb-call-error.ts';
import { dynamodbCallsOf, type DynamodbCalls } from './dynamodb-calls.ts';
import {
  codeItemKey,
  fromCodeItem,
  fromItem,
  itemKey,
  toCodeItem,
  toItem,
  type Item,
} from './record-item.ts';
import { createSharedCalls, type SharedCalls, type SharedCallsOptions } from './shared-calls.ts';

export interface DynamodbTokenStoreOptions extends Omit<SharedCallsOptions, 'calls'> {
  readonly client: DynamoDBClient;
  /** @default those of the client */
  readonly calls?: DynamodbCalls;
  /** For one record, retries and all. @default 2500 */
  readonly deadlineMs?: number;
  /** For all of a batch. @default 10000 */
  readonly batchDeadlineMs?: number;
}

/** Where the records are. */
type Table = Pick<SharedCallsOptions, 'calls' | 'tableName'>;

export function createDynamodbTokenStore(options: DynamodbTokenStoreOptions): TokenStore {
  const { client, tableName, calls = dynamodbCallsOf(client) } = options;
  const { deadlineMs = 2_500, batchDeadlineMs = 10_000 } = options;
  const table = { calls, tableName };
  const shared = createSharedCalls({ ...options, ...table });
  const within = async <Result>(call: (signal: AbortSignal) => Promise<Result>): Promise<Result> =>
    await answeredWithin(deadlineMs, StoreUnavailableError, call);
  return {
    insert: (record, now) => within((signal) => put(table, record, now, signal)),
    insertMany: (records) => writeAll(shared, records.map(toItem), batchDeadlineMs),
    async find(key) {
      const item = await shared.read(itemKey(key), deadlineMs);
      return item === undefined ? undefined : fromItem(key, item);
    },
    async findMany(keys) {
      const items = await readAll(shared, keys, batchDeadlineMs);
      return keys.map((key, index) => outcomeOf(key, items[index] ?? 'unavailable'));
    },
    remove: (key) => within((signal) => remove(table, itemKey(key), signal)),
    async consume(tombstone) {
      const outcome = await within((signal) => swap(table, tombstone, UNCONSUMED, signal));
      return outcome === 'swapped' ? 'consumed' : 'gone';
    },
    async replace(record, revision) {
      const outcome = await within((signal) => swap(table, record, ofRevision(revision), signal));
      return outcome === 'swapped' ? 'replaced' : 'conflict';
    },
    async archive(key, archivedAt) {
      const item = await within((signal) => setArchived(table, key, archivedAt, signal));
      return item === undefined ? 'unchanged' : fromItem(key, item);
    },
    insertCodes: (codes) => writeAll(shared, codes.map(toCodeItem), batchDeadlineMs),
    async findCode(key) {
      const item = await shared.read(codeItemKey(key), deadlineMs);
      return item === undefined ? undefined : fromCodeItem(key, item);
    },
    async consumeCode(key) {
      const outcome = await within((signal) => remove(table, codeItemKey(key), signal));
      return outcome === 'removed' ? 'consumed' : 'gone';
    },
    async checkReachable() {
      await shared.read(itemKey(PROBE), deadlineMs);
    },
  };
}

async function writeAll(
  shared: SharedCalls,
  items: readonly Item[],
  deadlineMs: number,
): Promise<('stored' | 'unavailable')[]> {
  const written = await Promise.allSettled(items.map((item) => shared.write(item, deadlineMs)));
  return written.map(({ status }) => (status === 'fulfilled' ? 'stored' : 'unavailable'));
}

/** A key that is there twice is read once. */
async function readAll(
  shared: SharedCalls,
  keys: readonly RecordKey[],
  deadlineMs: number,
): Promise<(Item | 'missing' | 'unavailable')[]> {
  const reads = new Map<string, Promise<Item | 'missing' | 'unavailable'>>();
  const readOnce = (key: RecordKey) => {
    const name = partitionOf(itemKey(key));
    const read =
      reads.get(name) ??
      shared.read(itemKey(key), deadlineMs).then(
        (item) => item ?? 'missing',
        () => 'unavailable' as const,
      );
    reads.set(name, read);
    return read;
  };
  return await Promise.all(keys.map(readOnce));
}

/** No token looks like this, so it is never there. */
const PROBE: RecordKey = { tenant: 'readiness', token: 'readiness' };

async function put(
  { calls, tableName: TableName }: Table,
  record: TokenRecord,
  now: Date | undefined,
  signal: AbortSignal,
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
    await calls.call('PutItem', { TableName, Item: toItem(record), ...condition }, signal);
    return 'stored';
  } catch (error) {
    if (isConditionFailed(error)) return 'taken';
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
  { calls, tableName: TableName }: Table,
  record: TokenRecord,
  condition: Condition,
  signal: AbortSignal,
): Promise<'swapped' | 'kept'> {
  try {
    await calls.call('PutItem', { TableName, Item: toItem(record), ...condition }, signal);
    return 'swapped';
  } catch (error) {
    if (isConditionFailed(error)) return 'kept';
    throw error;
  }
}

/** @returns The item as it is from now on; undefined where the condition does not hold. */
async function setArchived(
  { calls, tableName: TableName }: Table,
  key: RecordKey,
  archivedAt: Date | undefined,
  signal: AbortSignal,
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
    const input = { TableName, Key: itemKey(key), ...change, ReturnValues: 'ALL_NEW' } as const;
    return (await calls.call('UpdateItem', input, signal)).Attributes;
  } catch (error) {
    if (isConditionFailed(error)) return undefined;
    throw error;
  }
}

async function remove(
  { calls, tableName: TableName }: Table,
  Key: Item,
  signal: AbortSignal,
): Promise<'removed' | 'missing'> {
  const removed = await calls.call('DeleteItem', { TableName, Key, ReturnValues: 'ALL_OLD' }, signal);
  return removed.Attributes === undefined ? 'missing' : 'removed';
}

function outcomeOf(key: RecordKey, item: Item | 'missing' | 'unavailable'): FindOutcome {
  if (item === 'missing' || item === 'unavailable') return item;
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
