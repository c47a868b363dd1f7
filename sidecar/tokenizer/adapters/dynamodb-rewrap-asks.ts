/**
 * What operators ask for, in the table of the tokens: `pk` is `job`, `sk` is `ask#rewrap#<tenant>`.
 *
 * IAM: dynamodb:GetItem and DeleteItem on the partition `job` for the tokenizer; GetItem and PutItem for the
 * operator.
 *
 * @module
 */

import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { StoreUnavailableError } from '../core/errors.ts';
import type { RewrapAsk, RewrapAsks } from '../core/rewrapping/ports.ts';
import { rewrapJob, type RewrapProgress } from '../core/rewrapping/progress.ts';
import { answeredWithin } from './deadline.ts';
import type { Table } from './dynamodb-batches.ts';
import { jobKey, readJobProgress } from './dynamodb-job-store.ts';
import type { Item } from './record-item.ts';

/** @default deadlineMs 2500 */
export function createDynamodbRewrapAsks(
  { client, tableName: TableName }: Table,
  deadlineMs = 2_500,
): RewrapAsks {
  const within = async <Result>(call: (signal: AbortSignal) => Promise<Result>): Promise<Result> =>
    await answeredWithin(deadlineMs, StoreUnavailableError, call);
  return {
    find: (tenant) =>
      within(async (abortSignal) => {
        const command = new GetItemCommand({ TableName, Key: askKey(tenant), ConsistentRead: true });
        return askIn((await client.send(command, { abortSignal })).Item);
      }),
    put: (tenant, ask) =>
      within(async (abortSignal) => {
        const command = new PutItemCommand({ TableName, Item: { ...askKey(tenant), ...itemOf(ask) } });
        await client.send(command, { abortSignal });
      }),
    remove: (tenant, id) =>
      within(async (abortSignal) => {
        const command = new DeleteItemCommand({
          TableName,
          Key: askKey(tenant),
          ConditionExpression: 'id = :id',
          ExpressionAttributeValues: { ':id': { S: id } },
        });
        try {
          await client.send(command, { abortSignal });
        } catch (error) {
          if (!(error instanceof ConditionalCheckFailedException)) throw error;
        }
      }),
  };
}

/** @returns Undefined where no task has begun yet. */
export async function readRewrapProgress(table: Table, tenant: string): Promise<RewrapProgress | undefined> {
  const progress = await readJobProgress(table, rewrapJob(tenant));
  return progress === undefined ? undefined : (JSON.parse(progress) as RewrapProgress);
}

function askKey(tenant: string): Item {
  return jobKey(`ask#${rewrapJob(tenant)}`);
}

function itemOf({ id, perSecond, startAt }: RewrapAsk): Item {
  return {
    id: { S: id },
    perSecond: { N: String(perSecond) },
    startAtMs: { N: String(startAt.getTime()) },
  };
}

/** What somebody else wrote there is no ask. */
function askIn(item: Item | undefined): RewrapAsk | undefined {
  const [id, perSecond] = [item?.['id']?.S, Number(item?.['perSecond']?.N)];
  const startAt = new Date(Number(item?.['startAtMs']?.N));
  const isWhole = Number.isSafeInteger(perSecond) && perSecond > 0 && !Number.isNaN(startAt.getTime());
  return id === undefined || !isWhole ? undefined : { id, perSecond, startAt };
}
