/**
 * The tables that the programs read and write: their names and keys, the same wherever they are made.
 *
 * The table of the tokens has an index too: `tokensTable` in `adapters/dynamodb-sweep-store.ts`.
 *
 * @module
 */

export type TableRole = 'tokens' | 'keys' | 'orders' | 'audit' | 'fingerprints';

export const TABLES: Readonly<Record<TableRole, string>> = {
  tokens: 'tokenmesh-tokens',
  keys: 'tokenmesh-keys',
  orders: 'CustomerOrderTable',
  audit: 'tokenmesh-audit',
  fingerprints: 'tokenmesh-fingerprints',
};

/** What each region of several has the same rows of. The others are each region's own. */
export const REPLICATED_TABLES: readonly TableRole[] = ['tokens', 'keys', 'fingerprints'];

/** Every key attribute is a string. */
export interface TableKey {
  readonly hash: string;
  readonly range?: string;
}

export const TABLE_KEYS: Readonly<Record<TableRole, TableKey>> = {
  tokens: { hash: 'pk', range: 'sk' },
  keys: { hash: 'branch-key-id', range: 'type' },
  orders: { hash: 'orderId' },
  audit: { hash: 'pk', range: 'sk' },
  fingerprints: { hash: 'pk', range: 'sk' },
};

/** Where DynamoDB removes what has expired, days later: the sweeper and each read are exact. */
export const EXPIRY_ATTRIBUTE = 'expiresAt';
export const EXPIRING_TABLES: readonly TableRole[] = ['tokens', 'fingerprints'];
