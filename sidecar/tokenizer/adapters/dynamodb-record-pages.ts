/**
 * The table of the tokens, page by page.
 *
 * IAM: dynamodb:Scan on the table.
 *
 * @module
 */

import { RecordUnopenableError } from '../core/errors.ts';
import type { RecordPages } from '../core/fingerprints/reindexing.ts';
import type { TokenRecord } from '../core/ports.ts';
import type { Table } from './dynamodb-batches.ts';
import { fromItem, keyOfItem, type Item } from './record-item.ts';
import { tablePage } from './table-pages.ts';

const ITEMS_PER_PAGE = 200;

export function createDynamodbRecordPages(table: Table): RecordPages {
  return {
    async page(cursor) {
      const { items, ...next } = await tablePage(table, cursor, ITEMS_PER_PAGE);
      return { records: items.flatMap(recordIn), ...next };
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
