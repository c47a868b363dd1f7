/**
 * Where both apps keep the orders: the table of DynamoDB, or MySQL where ORDER_STORE says so.
 *
 * @module
 */

import type { Pool } from 'mysql2/promise';
import { createOrderTable, TABLE_NAME_RULE, type OrderTable } from './customer-order-table.ts';
import type { Settings } from './environment.ts';
import { openDatabase } from './order-history/database.ts';
import { readDatabase, readStoreKind, withCa } from './order-history/settings.ts';

export type OrderStoreConfig =
  | { readonly kind: 'dynamodb'; readonly tableName: string }
  | { readonly kind: 'mysql'; readonly database: ReturnType<typeof readDatabase> };

export function readOrderStore(settings: Settings): OrderStoreConfig {
  if (readStoreKind(settings) === 'mysql') return { kind: 'mysql', database: readDatabase(settings) };
  return { kind: 'dynamodb', tableName: settings.text('ORDERS_TABLE', TABLE_NAME_RULE) };
}

/** What an app makes its store of, whichever it is. */
export interface StoreMakers<Store> {
  readonly dynamodb: (table: OrderTable) => Store;
  readonly mysql: (pool: Pool) => Store;
}

export interface OpenStore<Store> {
  readonly store: Store;
  readonly close: () => Promise<void>;
}

export function openOrderStore<Store>(config: OrderStoreConfig, make: StoreMakers<Store>): OpenStore<Store> {
  if (config.kind === 'mysql') {
    const pool = openDatabase(withCa(config.database));
    return { store: make.mysql(pool), close: async () => await pool.end() };
  }
  const table = createOrderTable(config.tableName);
  return { store: make.dynamodb(table), close: async () => table.client.destroy() };
}
