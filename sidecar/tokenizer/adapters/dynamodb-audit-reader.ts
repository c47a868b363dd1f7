/**
 * Reads the audit back, for who verifies it: never the tokenizer itself.
 *
 * IAM: dynamodb:Query and Scan on the audit's table; dynamodb:Query and GetItem on the tokens table, for
 * the partition `audit#heads#<region>` alone (dynamodb:LeadingKeys).
 *
 * @module
 */

import {
  GetItemCommand,
  paginateQuery,
  paginateScan,
  type AttributeValue,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import type { AuditReader, StoredSeal } from '../core/audit/ports.ts';
import { isSealKey } from '../core/audit/row-keys.ts';
import { outsideKey, outsidePartition, storedSeal, storedSegment } from './audit-item.ts';
import type { Item } from './record-item.ts';

export interface DynamodbAuditReaderOptions {
  readonly client: DynamoDBClient;
  readonly auditTableName: string;
  readonly tokensTableName: string;
}

export function createDynamodbAuditReader(options: DynamodbAuditReaderOptions): AuditReader {
  const { client, auditTableName, tokensTableName } = options;
  const log = { client, TableName: auditTableName };
  const tokens = { client, TableName: tokensTableName };
  return {
    async writers() {
      const found = new Set<string>();
      const partition = outsidePartition(await client.config.region());
      for await (const item of query(tokens, 'pk = :pk', { ':pk': partition })) add(found, item['sk']);
      // The keys alone. Somebody may have written rows of a writer that never was: they are to be seen too.
      for await (const item of scanKeys(log)) add(found, item['pk']);
      return [...found].toSorted();
    },
    async keptOutside(writer) {
      const Key = outsideKey(await client.config.region(), writer);
      const { Item } = await client.send(
        new GetItemCommand({ TableName: tokensTableName, Key, ConsistentRead: true }),
      );
      return Item === undefined ? undefined : storedSeal(Item);
    },
    async seals(writer) {
      const values = { ':pk': { S: writer }, ':seals': SEALS };
      const seals: StoredSeal[] = [];
      for await (const item of query(log, 'pk = :pk AND begins_with(sk, :seals)', values)) {
        seals.push(storedSeal(item));
      }
      return seals;
    },
    async *segments(writer) {
      for await (const item of query(log, 'pk = :pk', { ':pk': { S: writer } })) {
        const row = storedSegment(item);
        if (!isSealKey(row.sortKey)) yield row;
      }
    },
    async *latestSegments(writer) {
      const values = { ':pk': { S: writer }, ':seals': SEALS };
      for await (const item of query(log, 'pk = :pk AND sk < :seals', values, 'newest first')) {
        yield storedSegment(item);
      }
    },
  };
}

/** Digits sort before it: what is below it is a segment. */
const SEALS = { S: 'seal#' };

interface Table {
  readonly client: DynamoDBClient;
  readonly TableName: string;
}

async function* query(
  { client, TableName }: Table,
  KeyConditionExpression: string,
  ExpressionAttributeValues: Item,
  order: 'oldest first' | 'newest first' = 'oldest first',
): AsyncGenerator<Item> {
  const input = { TableName, KeyConditionExpression, ExpressionAttributeValues, ConsistentRead: true };
  const pages = paginateQuery({ client }, { ...input, ScanIndexForward: order === 'oldest first' });
  for await (const page of pages) yield* page.Items ?? [];
}

async function* scanKeys({ client, TableName }: Table): AsyncGenerator<Item> {
  const input = { TableName, ProjectionExpression: 'pk', ConsistentRead: true };
  for await (const page of paginateScan({ client }, input)) yield* page.Items ?? [];
}

function add(found: Set<string>, name: AttributeValue | undefined): void {
  if (name?.S !== undefined) found.add(name.S);
}
