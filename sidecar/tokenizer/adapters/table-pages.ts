import { ScanCommand } from '@aws-sdk/client-dynamodb';
import type { Table } from './dynamodb-batches.ts';
import type { Item } from './record-item.ts';

/**
 * At most `limit` items of a table, and where to go on; at the end there is no cursor.
 *
 * @param cursor - Of the page before, as JSON.
 */
export async function tablePage(
  { client, tableName: TableName }: Table,
  cursor: string | undefined,
  limit: number,
  abortSignal?: AbortSignal,
): Promise<{ readonly items: readonly Item[]; readonly cursor?: string }> {
  const start = cursor === undefined ? {} : { ExclusiveStartKey: JSON.parse(cursor) as Item };
  const command = new ScanCommand({ TableName, Limit: limit, ConsistentRead: true, ...start });
  const { Items: items = [], LastEvaluatedKey } = await client.send(
    command,
    abortSignal === undefined ? {} : { abortSignal },
  );
  return LastEvaluatedKey === undefined ? { items } : { items, cursor: JSON.stringify(LastEvaluatedKey) };
}
