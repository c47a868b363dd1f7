/**
 * The references of honey tokens, in the table of the tokens: `pk` is `honey`, `sk` a reference. A
 * reference is keyed, so whoever reads the table learns how many there are, and not which.
 *
 * IAM: dynamodb:Query on the partition `honey` for the tokenizer; PutItem and DeleteItem for the operator.
 *
 * @module
 */

import { DeleteItemCommand, paginateQuery, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { Table } from './dynamodb-batches.ts';

const PARTITION = { S: 'honey' };

export async function listHoneyTokens({ client, tableName: TableName }: Table): Promise<string[]> {
  const references: string[] = [];
  const pages = paginateQuery(
    { client },
    {
      TableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': PARTITION },
      ConsistentRead: true,
    },
  );
  for await (const { Items } of pages) references.push(...(Items ?? []).flatMap(({ sk }) => sk?.S ?? []));
  return references;
}

export async function addHoneyToken(
  { client, tableName }: Table,
  reference: string,
  at: Date,
): Promise<void> {
  const Item = { pk: PARTITION, sk: { S: reference }, createdAt: { S: at.toISOString() } };
  await client.send(new PutItemCommand({ TableName: tableName, Item }));
}

/** @returns Whether it was one. */
export async function removeHoneyToken({ client, tableName }: Table, reference: string): Promise<boolean> {
  const Key = { pk: PARTITION, sk: { S: reference } };
  const removed = await client.send(
    new DeleteItemCommand({ TableName: tableName, Key, ReturnValues: 'ALL_OLD' }),
  );
  return removed.Attributes !== undefined;
}
