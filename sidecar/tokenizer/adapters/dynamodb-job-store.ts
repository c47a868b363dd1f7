/**
 * Claims of jobs in the table of the tokens: `pk` is `job`, `sk` the name of the job.
 *
 * IAM: dynamodb:UpdateItem, and dynamodb:GetItem for who watches, on the partition `job` of the table.
 *
 * @module
 */

import { ConditionalCheckFailedException, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { StoreUnavailableError } from '../core/errors.ts';
import type { JobStore } from '../core/jobs.ts';
import { answeredWithin } from './deadline.ts';
import type { Table } from './dynamodb-batches.ts';
import type { Item } from './record-item.ts';

const PARTITION = 'job';

/** @default deadlineMs 2500 */
export function createDynamodbJobStore(table: Table, deadlineMs = 2_500): JobStore {
  const update = async (
    job: string,
    set: string,
    condition: string,
    values: Item,
  ): Promise<Item | undefined> =>
    await answeredWithin(deadlineMs, StoreUnavailableError, async (abortSignal) => {
      try {
        const command = new UpdateItemCommand({
          TableName: table.tableName,
          Key: jobKey(job),
          UpdateExpression: `SET ${set}`,
          ConditionExpression: condition,
          ExpressionAttributeValues: values,
          ReturnValues: 'ALL_NEW',
        });
        return (await table.client.send(command, { abortSignal })).Attributes ?? {};
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return undefined;
        throw error;
      }
    });
  return {
    async claim(job, holder, now, until) {
      const claimed = await update(
        job,
        'holder = :holder, untilMs = :until',
        'attribute_not_exists(pk) OR holder = :holder OR untilMs <= :now',
        { ':holder': { S: holder }, ':until': millis(until), ':now': millis(now) },
      );
      if (claimed === undefined) return 'busy';
      const progress = claimed['progress']?.S;
      return progress === undefined ? {} : { progress };
    },
    async save(job, holder, until, progress) {
      const saved = await update(job, 'untilMs = :until, progress = :progress', 'holder = :holder', {
        ':holder': { S: holder },
        ':until': millis(until),
        ':progress': { S: progress },
      });
      return saved === undefined ? 'lost' : 'saved';
    },
  };
}

/**
 * What was saved of a job last, for who watches it.
 *
 * @returns JSON; undefined where no task has begun.
 */
export async function readJobProgress(
  { client, tableName: TableName }: Table,
  job: string,
): Promise<string | undefined> {
  const command = new GetItemCommand({ TableName, Key: jobKey(job), ConsistentRead: true });
  return (await client.send(command)).Item?.['progress']?.S;
}

export function jobKey(job: string): Item {
  return { pk: { S: PARTITION }, sk: { S: job } };
}

function millis(at: Date): { readonly N: string } {
  return { N: String(at.getTime()) };
}
