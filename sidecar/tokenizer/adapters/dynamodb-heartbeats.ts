/**
 * The heartbeats of the regions, in the table of the tokens: `pk` is `heartbeat`, `sk` the code of a region. There, so
 * that they arrive in the other regions as the tokens do; and under a `pk` that no token and no sweep has.
 *
 * IAM: dynamodb:PutItem and dynamodb:Query on the partition `heartbeat` of the table.
 *
 * @module
 */

import { paginateQuery, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { StoreUnavailableError } from '../core/errors.ts';
import type { Heartbeats } from '../core/replication.ts';
import { answeredWithin } from './deadline.ts';
import type { Table } from './dynamodb-batches.ts';

const PARTITION = { S: 'heartbeat' };
const DEADLINE_MS = 2_500;

/** @throws {StoreUnavailableError} */
export async function writeHeartbeat(
  { client, tableName: TableName }: Table,
  regionCode: string,
  at: Date,
): Promise<void> {
  const Item = { pk: PARTITION, sk: { S: regionCode }, atMs: { N: String(at.getTime()) } };
  await answeredWithin(DEADLINE_MS, StoreUnavailableError, async (abortSignal) => {
    await client.send(new PutItemCommand({ TableName, Item }), { abortSignal });
  });
}

/** @throws {StoreUnavailableError} */
export async function readHeartbeats({ client, tableName: TableName }: Table): Promise<Heartbeats> {
  const query = {
    TableName,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': PARTITION },
  };
  return await answeredWithin(DEADLINE_MS, StoreUnavailableError, async () => {
    const found = new Map<string, Date>();
    for await (const { Items = [] } of paginateQuery({ client }, query)) {
      for (const { sk, atMs } of Items) found.set(sk?.S ?? '', new Date(Number(atMs?.N)));
    }
    return found;
  });
}
