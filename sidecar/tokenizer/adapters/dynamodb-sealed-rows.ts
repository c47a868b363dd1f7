/**
 * Rows that have messages in them, sealed as they are.
 *
 * IAM: dynamodb:Scan on the tokens table, and no right to any key.
 *
 * @module
 */

import { paginateScan, ScanCommand, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { RecordUnopenableError, StoreUnavailableError } from '../core/errors.ts';
import type { SealedRow, SealedRows } from '../core/rewrapping/ports.ts';
import { answeredWithin } from './deadline.ts';
import type { Table } from './dynamodb-batches.ts';
import { fromCodeItem, fromItem, keyOfCodeItem, keyOfItem, type Item } from './record-item.ts';

/** @default deadlineMs 5000 */
export function createDynamodbSealedRows(
  { client, tableName: TableName }: Table,
  deadlineMs = 5_000,
): SealedRows {
  return {
    page: async (tenant, cursor, limit) =>
      await answeredWithin(deadlineMs, StoreUnavailableError, async (abortSignal) => {
        const start = cursor === undefined ? {} : { ExclusiveStartKey: keyIn(cursor) };
        const command = new ScanCommand({ TableName, Limit: limit, ConsistentRead: true, ...start });
        const { Items, LastEvaluatedKey } = await client.send(command, { abortSignal });
        const rows = (Items ?? []).flatMap((item) => rowsIn(item, tenant));
        return LastEvaluatedKey === undefined ? { rows } : { rows, cursor: JSON.stringify(LastEvaluatedKey) };
      }),
  };
}

/** All rows of a tenant, for who counts them. */
export async function* sealedRowsOf(
  { client, tableName: TableName }: Table,
  tenant: string,
): AsyncGenerator<SealedRow> {
  for await (const { Items } of paginateScan({ client }, { TableName, ConsistentRead: true })) {
    yield* (Items ?? []).flatMap((item) => rowsIn(item, tenant));
  }
}

function keyIn(cursor: string): Record<string, AttributeValue> {
  return JSON.parse(cursor) as Record<string, AttributeValue>;
}

/** @returns One or none: a row of another tenant, or one that is neither record nor code, is none. */
function rowsIn(item: Item, tenant: string): SealedRow[] {
  const [recordKey, codeKey] = [keyOfItem(item), keyOfCodeItem(item)];
  const key = recordKey ?? codeKey;
  if (key?.tenant !== tenant) return [];
  try {
    return [
      recordKey === undefined
        ? { kind: 'code', code: fromCodeItem(key, item) }
        : { kind: 'record', record: fromItem(key, item) },
    ];
  } catch (error) {
    if (error instanceof RecordUnopenableError) return [{ kind: 'unreadable', key }];
    throw error;
  }
}
