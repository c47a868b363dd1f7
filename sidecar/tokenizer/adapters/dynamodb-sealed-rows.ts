/**
 * Rows that have messages in them, sealed as they are.
 *
 * IAM: dynamodb:Scan on the tokens table, and no right to any key.
 *
 * @module
 */

import { paginateScan } from '@aws-sdk/client-dynamodb';
import { RecordUnopenableError, StoreUnavailableError } from '../core/errors.ts';
import type { SealedRow, SealedRows } from '../core/rewrapping/ports.ts';
import { answeredWithin } from './deadline.ts';
import type { Table } from './dynamodb-batches.ts';
import { fromCodeItem, fromItem, keyOfCodeItem, keyOfItem, type Item } from './record-item.ts';
import { tablePage } from './table-pages.ts';

/** @default deadlineMs 5000 */
export function createDynamodbSealedRows(table: Table, deadlineMs = 5_000): SealedRows {
  return {
    page: async (tenant, cursor, limit) =>
      await answeredWithin(deadlineMs, StoreUnavailableError, async (signal) => {
        const { items, ...next } = await tablePage(table, cursor, limit, signal);
        return { rows: items.flatMap((item) => rowsIn(item, tenant)), ...next };
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
