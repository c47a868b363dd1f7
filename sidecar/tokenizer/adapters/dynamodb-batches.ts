/**
 * The batch write of DynamoDB, of any length: parts of what one call takes, a few at a time.
 *
 * @module
 */

import { BatchWriteItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { inParallel } from '../core/in-parallel.ts';
import type { Item } from './record-item.ts';
import { retryUnfinished, type RetryOptions } from './retry-unfinished.ts';

/** The most that BatchWriteItem takes (DynamoDB API reference). */
const WRITES_PER_CALL = 25;

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

export function partsOf<Each>(items: readonly Each[], length: number): Each[][] {
  return Array.from({ length: Math.ceil(items.length / length) }, (_, index) =>
    items.slice(index * length, (index + 1) * length),
  );
}
