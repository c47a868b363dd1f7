/**
 * `CustomerOrderTable`: the one table that both sample apps use, keyed by `orderId` (S).
 *
 * The order app writes items and never changes them. The payment of an order is
 * one attribute, `payment`, and paybill writes nothing else, so that its IAM
 * policy can say so (`dynamodb:Attributes`). Of the card an item holds the
 * token, the scheme and the last four digits.
 *
 * @module
 */

import { DynamoDBClient, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { RetryLaterError } from './retry-later.ts';

export type Item = Record<string, AttributeValue>;

export interface OrderTable {
  readonly client: DynamoDBClient;
  readonly tableName: string;
}

export const TABLE_NAME_RULE = {
  pattern: /^[\w.-]{3,255}$/,
  expected: 'the name of a DynamoDB table',
  fallback: 'CustomerOrderTable',
};

/** For one operation, the SDK's retries included. */
const DEADLINE_MS = 3_000;

/** Region, credentials and endpoint come from the environment, as the SDK reads it. */
export function createOrderTable(tableName: string): OrderTable {
  const client = new DynamoDBClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 1_000, requestTimeout: 2_000, throwOnRequestTimeout: true },
  });
  return { client, tableName };
}

/**
 * Runs one operation on the table before the deadline.
 *
 * @returns `"condition failed"` where the operation's own condition did not hold.
 * @throws {RetryLaterError} `ERR_ORDERS_UNAVAILABLE` for everything else that fails: a write may have happened.
 */
export async function onTable<Output>(
  operation: (options: { abortSignal: AbortSignal }) => Promise<Output>,
): Promise<Output | 'condition failed'> {
  try {
    return await operation({ abortSignal: AbortSignal.timeout(DEADLINE_MS) });
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'ConditionalCheckFailedException') return 'condition failed';
    throw new RetryLaterError({
      code: 'ERR_ORDERS_UNAVAILABLE',
      message: `the order table did not answer: expected an answer within ${DEADLINE_MS} ms, got ${nameOf(cause)}`,
      remedy: 'try again; if it goes on, see that the table exists and that the app may use it',
      cause,
    });
  }
}

function nameOf(cause: unknown): string {
  return cause instanceof Error ? cause.name : 'an unknown failure';
}

/** The text of an attribute; an item that lacks it was not written by us. */
export function textOf(item: Item, name: string): string {
  const text = item[name]?.S;
  if (text === undefined) throw new TypeError(`an order's attribute "${name}" is not a text`);
  return text;
}

export function numberOf(item: Item, name: string): number {
  const text = item[name]?.N;
  if (text === undefined) throw new TypeError(`an order's attribute "${name}" is not a number`);
  return Number(text);
}

export function mapOf(item: Item, name: string): Item {
  const map = item[name]?.M;
  if (map === undefined) throw new TypeError(`an order's attribute "${name}" is not a map`);
  return map;
}
