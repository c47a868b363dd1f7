/**
 * Calls with an idempotency key, in the table of the tokens: `pk` is `idempotency#` and the id, `sk` is
 * `request`. They expire like records, and are swept with them.
 *
 * IAM: dynamodb:PutItem and DeleteItem on the table.
 *
 * @module
 */

import { ConditionalCheckFailedException, DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { RecordUnopenableError, StoreUnavailableError } from '../core/errors.ts';
import type { IdempotencyEntry, IdempotencyStore, KeptResult } from '../core/idempotency-store.ts';
import { answeredWithin } from './deadline.ts';
import type { Table } from './dynamodb-batches.ts';
import { expiryAttributes, type Item } from './record-item.ts';

/** @default deadlineMs 2500, for each call */
export function createDynamodbIdempotencyStore(
  { client, tableName: TableName }: Table,
  deadlineMs = 2_500,
): IdempotencyStore {
  /** @returns The item that is there, where the condition did not hold. */
  const put = async (
    id: string,
    entry: IdempotencyEntry,
    ConditionExpression: string,
    ExpressionAttributeValues: Item,
  ): Promise<'stored' | Item> =>
    await answeredWithin(deadlineMs, StoreUnavailableError, async (abortSignal) => {
      const condition = { ConditionExpression, ExpressionAttributeValues };
      const input = { TableName, Item: toItem(id, entry), ...condition };
      return await unlessUnmet('stored', () =>
        client.send(new PutItemCommand({ ...input, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }), {
          abortSignal,
        }),
      );
    });
  return {
    async insert(id, entry, now) {
      const condition = 'attribute_not_exists(pk) OR expiresAtMs <= :now';
      const found = await put(id, entry, condition, { ':now': { N: String(now.getTime()) } });
      return found === 'stored' ? found : fromItem(found);
    },
    async replace(id, entry, claim) {
      const found = await put(id, entry, 'claim = :claim', { ':claim': { S: claim } });
      return found === 'stored' ? 'replaced' : 'conflict';
    },
    async remove(id, claim) {
      const command = new DeleteItemCommand({
        TableName,
        Key: keyOf(id),
        ConditionExpression: 'claim = :claim',
        ExpressionAttributeValues: { ':claim': { S: claim } },
      });
      await answeredWithin(deadlineMs, StoreUnavailableError, (abortSignal) =>
        unlessUnmet('removed', () => client.send(command, { abortSignal })),
      );
    },
  };
}

async function unlessUnmet<Done>(done: Done, send: () => Promise<unknown>): Promise<Done | Item> {
  try {
    await send();
    return done;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return error.Item ?? {};
    throw error;
  }
}

function keyOf(id: string): Item {
  return { pk: { S: `idempotency#${id}` }, sk: { S: 'request' } };
}

/** A thousand results are about 150 KB of the 400 that an item may have. */
function toItem(id: string, entry: IdempotencyEntry): Item {
  const { request, claim, leaseUntil, results, proof, expiresAt } = entry;
  const key = keyOf(id);
  return {
    ...key,
    request: { S: request },
    claim: { S: claim },
    ...(leaseUntil === undefined ? {} : { leaseUntilMs: { N: String(leaseUntil.getTime()) } }),
    results: { S: JSON.stringify(results) },
    ...(proof === undefined ? {} : { proof: { S: proof } }),
    ...expiryAttributes(key, expiresAt),
  };
}

/** As it is in the table: instants as text. */
type StoredResult = Omit<KeptResult, 'createdAt' | 'expiresAt'> & {
  readonly createdAt: string;
  readonly expiresAt?: string;
};

/** @throws {RecordUnopenableError} for an item that is not whole. */
function fromItem(item: Item): IdempotencyEntry {
  const [request, claim, results] = [item['request']?.S, item['claim']?.S, item['results']?.S];
  const expiresAtMs = Number(item['expiresAtMs']?.N);
  const [leaseUntilMs, proof] = [item['leaseUntilMs']?.N, item['proof']?.S];
  if (request === undefined || claim === undefined || results === undefined || Number.isNaN(expiresAtMs)) {
    throw new RecordUnopenableError();
  }
  return {
    request,
    claim,
    ...(leaseUntilMs === undefined ? {} : { leaseUntil: new Date(Number(leaseUntilMs)) }),
    ...(proof === undefined ? {} : { proof }),
    results: (JSON.parse(results) as (StoredResult | null)[]).map(resultOf),
    expiresAt: new Date(expiresAtMs),
  };
}

function resultOf(stored: StoredResult | null): KeptResult | null {
  if (stored === null) return null;
  const { createdAt, expiresAt, ...rest } = stored;
  return {
    ...rest,
    createdAt: new Date(createdAt),
    ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) }),
  };
}
