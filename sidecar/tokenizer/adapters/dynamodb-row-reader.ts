/**
 * Reads every record of the vault's table, sealed as they are, for who holds them against the audit.
 *
 * IAM: dynamodb:Scan and GetItem on the tokens table, and no right to any key of the vault.
 *
 * @module
 */

import { GetItemCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import type { RowReader, StoredRow } from '../core/audit/ports.ts';
import { RecordUnopenableError } from '../core/errors.ts';
import type { RecordKey } from '../core/ports.ts';
import type { Table } from './dynamodb-batches.ts';
import { fromItem, itemKey, keyOfCodeItem, keyOfItem, type Item } from './record-item.ts';

export function createDynamodbRowReader({ client, tableName: TableName }: Table): RowReader {
  return {
    async *rows() {
      for await (const { Items } of paginateScan({ client }, { TableName, ConsistentRead: true })) {
        for (const item of Items ?? []) {
          const key = keyOfItem(item);
          if (key !== undefined) yield storedRow(key, item);
          const code = keyOfCodeItem(item);
          if (code !== undefined) yield { key: code, record: 'security-code' };
        }
      }
    },
    async find(key) {
      const command = new GetItemCommand({ TableName, Key: itemKey(key), ConsistentRead: true });
      const { Item } = await client.send(command);
      return Item === undefined ? undefined : storedRow(key, Item);
    },
  };
}

function storedRow(key: RecordKey, item: Item): StoredRow {
  try {
    return { key, record: fromItem(key, item) };
  } catch (error) {
    if (error instanceof RecordUnopenableError) return { key, record: 'unreadable' };
    throw error;
  }
}
