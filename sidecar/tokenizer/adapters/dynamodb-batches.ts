/**
 * The batch calls of DynamoDB, of any length: parts of what one call takes, a few at a time.
 *
 * @module
 */

import { BatchGetItemCommand, BatchWriteItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { inParallel } from '../core/in-parallel.ts';
import type { Item } from './record-item.ts';
import { retryUnfinished, type RetryOptions } from './retry-unfinished.ts';

/** The most that BatchWriteItem and BatchGetItem take (DynamoDB API reference). */
const WRITES_PER_CALL = 25;
const READS_PER_CALL = 100;

/** Calls of one batch under way at a time, so that a batch does not take every socket from the others. */
const CALL_WIDTH = 4;

export interface Table {
  readonly client: DynamoDBClient;
  readonly tableName: string;
}

/** @returns The items of which it is not known that they are written. */
export async function writeAll(table: Table, items: readonly Item[], options: RetryOptions): Promise<Item[]> {
  const left = await inParallel(partsOf(items, WRITES_PER_CALL), CALL_WIDTH, (part) =>
    retryUnfinished(part, (pending) => writePart(table, pending, options.signal), options),
  );
  return left.flat();
}

export interface ReadItems {
  readonly found: readonly Item[];
  /** The keys of which it is not known whether they are there. */
  readonly unread: readonly Item[];
}

/** @param keys - With no key twice: DynamoDB refuses that. */
export async function readAll(
  table: Table,
  keys: readonly Item[],
  options: RetryOptions,
): Promise<ReadItems> {
  const found: Item[] = [];
  const left = await inParallel(partsOf(keys, READS_PER_CALL), CALL_WIDTH, (part) =>
    retryUnfinished(
      part,
      async (pending) => {
        const answer = await readPart(table, pending, options.signal);
        found.push(...answer.found);
        return answer.unread;
      },
      options,
    ),
  );
  return { found, unread: left.flat() };
}

async function writePart(
  { client, tableName }: Table,
  items: readonly Item[],
  abortSignal: AbortSignal,
): Promise<Item[]> {
  const requests = items.map((Item) => ({ PutRequest: { Item } }));
  const command = new BatchWriteItemCommand({ RequestItems: { [tableName]: requests } });
  const { UnprocessedItems } = await client.send(command, { abortSignal });
  return (UnprocessedItems?.[tableName] ?? []).flatMap(({ PutRequest }) =>
    PutRequest?.Item === undefined ? [] : [PutRequest.Item],
  );
}

async function readPart(
  { client, tableName }: Table,
  keys: readonly Item[],
  abortSignal: AbortSignal,
): Promise<ReadItems> {
  const command = new BatchGetItemCommand({
    RequestItems: { [tableName]: { Keys: [...keys], ConsistentRead: true } },
  });
  const { Responses, UnprocessedKeys } = await client.send(command, { abortSignal });
  return { found: Responses?.[tableName] ?? [], unread: UnprocessedKeys?.[tableName]?.Keys ?? [] };
}

export function partsOf<Each>(items: readonly Each[], length: number): Each[][] {
  return Array.from({ length: Math.ceil(items.length / length) }, (_, index) =>
    items.slice(index * length, (index + 1) * length),
  );
}
