/**
 * Items of one table that are written and read together, whoever asks: BatchWriteItem and BatchGetItem
 * shared by all requests of the task.
 *
 * IAM: dynamodb:BatchWriteItem and BatchGetItem on the table.
 *
 * @module
 */

import { StoreUnavailableError } from '../core/errors.ts';
import { DynamodbCallError } from './dynamodb-call-error.ts';
import type { DynamodbCalls } from './dynamodb-calls.ts';
import { Gathering, type Sent } from './gathering.ts';
import type { Item } from './record-item.ts';

export interface SharedCallsOptions {
  readonly calls: DynamodbCalls;
  readonly tableName: string;
  /** How long an item waits for others, in milliseconds, while calls are under way. @default 1 */
  readonly waitMs?: number;
  /** Told of a call that failed, since its items only say that they are unavailable. */
  readonly onFault: (error: unknown) => void;
  readonly observer?: StoreObserver;
}

/** Counts what travels together. */
export interface StoreObserver {
  callSent(operation: 'BatchWriteItem' | 'BatchGetItem', items: number): void;
  /** There was no room to wait. */
  callRefused(): void;
}

export interface SharedCalls {
  /**
   * Puts an item, whatever there was under its key.
   *
   * @throws {StoreUnavailableError} where it is not known to be written.
   */
  write(item: Item, deadlineMs: number): Promise<void>;
  /**
   * Sees every write that was answered before.
   *
   * @throws {StoreUnavailableError}
   */
  read(key: Item, deadlineMs: number): Promise<Item | undefined>;
}

/** The most that a call takes (DynamoDB API reference). */
const WRITES_IN_CALL = 25;
const READS_IN_CALL = 100;
const CALLS = 16;
/** Thirty large batches: a second or two of work, in some 60 MB; no caller waits for longer. */
const MOST_WAITING = 32_768;

export function createSharedCalls(options: SharedCallsOptions): SharedCalls {
  const { waitMs = 1, observer } = options;
  const gathered = {
    mostCalls: CALLS,
    waitMs,
    mostWaiting: MOST_WAITING,
    nameOf: nameOfKey,
    exhausted: () => new StoreUnavailableError(),
    late: () => new StoreUnavailableError(),
    refused: () => {
      observer?.callRefused();
      return new StoreUnavailableError();
    },
    random: Math.random,
  };
  const writes = new Gathering<Item, void>({
    ...gathered,
    mostInCall: WRITES_IN_CALL,
    send: (items) => sendWrites(options, items),
  });
  const reads = new Gathering<Item, Item | undefined>({
    ...gathered,
    mostInCall: READS_IN_CALL,
    send: (keys) => sendReads(options, keys),
  });
  return {
    write: (item, deadlineMs) => writes.add(item, deadlineMs),
    read: (key, deadlineMs) => reads.add(key, deadlineMs),
  };
}

async function sendWrites(options: SharedCallsOptions, items: readonly Item[]): Promise<Sent<void>[]> {
  const { calls, tableName, observer, onFault } = options;
  observer?.callSent('BatchWriteItem', items.length);
  try {
    const requests = items.map((Item) => ({ PutRequest: { Item } }));
    const answer = await calls.call('BatchWriteItem', { RequestItems: { [tableName]: requests } });
    const undone = new Set(
      (answer.UnprocessedItems?.[tableName] ?? []).map((each) => nameOfKey(each.PutRequest?.Item ?? {})),
    );
    return items.map((item) => (undone.has(nameOfKey(item)) ? 'undone' : { result: undefined }));
  } catch (error) {
    if (isOfOneItem(error) && items.length > 1)
      return await eachAlone(items, (item) => sendWrites(options, [item]));
    onFault(error);
    return items.map(() => ({ error: new StoreUnavailableError(error) }));
  }
}

async function sendReads(
  options: SharedCallsOptions,
  keys: readonly Item[],
): Promise<Sent<Item | undefined>[]> {
  const { calls, tableName, observer, onFault } = options;
  observer?.callSent('BatchGetItem', keys.length);
  try {
    const Keys = keys.map(({ pk, sk }) => ({ pk: pk ?? { S: '' }, sk: sk ?? { S: '' } }));
    const answer = await calls.call('BatchGetItem', {
      RequestItems: { [tableName]: { Keys, ConsistentRead: true } },
    });
    const found = new Map((answer.Responses?.[tableName] ?? []).map((item) => [nameOfKey(item), item]));
    const undone = new Set((answer.UnprocessedKeys?.[tableName]?.Keys ?? []).map(nameOfKey));
    return keys.map((key) => (undone.has(nameOfKey(key)) ? 'undone' : { result: found.get(nameOfKey(key)) }));
  } catch (error) {
    if (isOfOneItem(error) && keys.length > 1)
      return await eachAlone(keys, (key) => sendReads(options, [key]));
    onFault(error);
    return keys.map(() => ({ error: new StoreUnavailableError(error) }));
  }
}

/** DynamoDB refuses a whole call for one item that is too large or malformed: the others are not to pay for it. */
function isOfOneItem(error: unknown): boolean {
  return error instanceof DynamodbCallError && error.name === 'ValidationException';
}

async function eachAlone<Result>(
  items: readonly Item[],
  send: (item: Item) => Promise<readonly Sent<Result>[]>,
): Promise<Sent<Result>[]> {
  const sent: Sent<Result>[] = [];
  for (const item of items) sent.push(...(await send(item)));
  return sent;
}

function nameOfKey({ pk, sk }: Item): string {
  return `${pk?.S ?? ''} ${sk?.S ?? ''}`;
}
