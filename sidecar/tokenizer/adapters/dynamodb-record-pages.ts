/**
 * The table of the tokens, page by page.
 *
 * IAM: dynamodb:Scan on the table.
 *
 * @module
 */

import { ScanCommand, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { RecordUnopenableError } from '../core/errors.ts';
import type { RecordPages } from '../core/fingerprints/reindexing.ts';
import type { TokenRecord } from '../core/ports.ts';
import type { Table } from './dynamodb-batches.ts';
import { fromItem, keyOfItem, type Item } from './record-item.ts';

const ITEMS_PER_PAGE = 200;

export function createDynamodbRecordPages({ client, tableName: TableName }: Table): RecordPages {
  return {
    async page(cursor) {
      const command = new ScanCommand({
        TableName,
        Limit: ITEMS_PER_PAGE,
        ConsistentRead: true,
        ...(cursor === undefined
          ? {}
          : { ExclusiveStartKey: JSON.parse(cursor) as Record<string, AttributeValue> }),
      });
      const { Items, LastEvaluatedKey } = await client.send(command);
      const records = (Items ?? []).flatMap(recordIn);
      return LastEvaluatedKey === undefined
        ? { records }
        : { records, cursor: JSON.stringify(LastEvaluatedKey) };
    },
  };
}

/** Rows that are no record, and records that cannot be read, are for the audit to find. */
function recordIn(item: Item): TokenRecord[] {
  const key = keyOfItem(item);
  if (key === undefined) return [];
  try {
    return [fromItem(key, item)];
  } catch (error) {
    if (error instanceof RecordUnopenableError) return [];
    throw error;
  }
}
