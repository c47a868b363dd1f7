/**
 * The keys of tenants and subjects, made and destroyed. The operator's work, under a role of its own:
 * never a request's.
 *
 * IAM to make: kms:GenerateDataKeyWithoutPlaintext and kms:ReEncrypt* on the vault's key;
 * dynamodb:TransactWriteItems (PutItem) and GetItem on the key store's table.
 * IAM to destroy: dynamodb:PutItem, Query, Scan and DeleteItem on that table, and nothing of KMS.
 *
 * @module
 */

import { BranchKeyStoreNode } from '@aws-crypto/client-node';
import {
  DeleteItemCommand,
  paginateQuery,
  paginateScan,
  PutItemCommand,
  TransactionCanceledException,
  type AttributeValue,
} from '@aws-sdk/client-dynamodb';
import { branchKeyIdOf } from '../core/crypto/branch-key-id.ts';
import { SubjectShreddedError, TenantShreddedError } from '../core/errors.ts';
import { keyStoreInput, type KeyStoreLocation } from './branch-key-store.ts';
import { DESTROYED_TYPE, destroyedKey, isDestroyed } from './destroyed-keys.ts';

/** Whose key it is: a tenant's, or a subject's of the tenant. */
export type KeyOwner = { readonly tenant: string; readonly subject?: string };

/** Begins the `branch-key-id` of the keys that fingerprints are made under. */
const FINGERPRINT_PREFIX = 'fingerprint#';

/**
 * Makes the branch key of a tenant or a subject.
 *
 * @returns `'exists'`, with nothing changed, where there is one.
 * @throws {TenantShreddedError} and {SubjectShreddedError} where it was destroyed: what was forgotten must
 *   not look as if it could come back.
 */
export async function createBranchKey(
  location: KeyStoreLocation,
  owner: KeyOwner,
): Promise<'created' | 'exists'> {
  const { tenant, subject } = owner;
  if (await isDestroyed(location, tenant)) throw new TenantShreddedError();
  const branchKeyIdentifier = branchKeyIdOf(owner);
  if (subject !== undefined && (await isDestroyed(location, branchKeyIdentifier))) {
    throw new SubjectShreddedError();
  }
  const keyStore = new BranchKeyStoreNode(keyStoreInput(location));
  try {
    await keyStore.createKey({ branchKeyIdentifier, encryptionContext: { ...owner } });
    return 'created';
  } catch (error) {
    if (isTaken(error)) return 'exists';
    throw error;
  }
}

/**
 * Destroys the keys of a subject, or of a tenant with all its subjects and fingerprints.
 *
 * The mark comes first, so that no task goes on with a key that it holds, and none is made anew. Safe
 * to call again: what a call that was cut off left is destroyed by the next.
 *
 * @returns How many keys there were. Zero, with no mark left, where there was never one.
 */
export async function destroyKeys(location: KeyLocation, owner: KeyOwner, at: Date): Promise<number> {
  const rows = await keyRowsOf(location, owner);
  const isMarked = await isDestroyed(location, branchKeyIdOf(owner));
  if (rows.length === 0 && !isMarked) return 0;
  const { dynamodb, keysTableName: TableName } = location;
  const mark = { ...destroyedKey(branchKeyIdOf(owner)), at: { S: at.toISOString() } };
  await dynamodb.send(new PutItemCommand({ TableName, Item: mark }));
  // Once more, now that none can be added.
  const keys = await keyRowsOf(location, owner);
  for (const Key of keys) await dynamodb.send(new DeleteItemCommand({ TableName, Key }));
  return keys.length;
}

export type KeyLocation = Pick<KeyStoreLocation, 'dynamodb' | 'keysTableName'>;

type Row = Record<string, AttributeValue>;

async function keyRowsOf(location: KeyLocation, owner: KeyOwner): Promise<Row[]> {
  const own = await rowsUnder(location, branchKeyIdOf(owner));
  if (owner.subject !== undefined) return own;
  const fingerprints = await rowsUnder(location, FINGERPRINT_PREFIX + owner.tenant);
  return [...own, ...fingerprints, ...(await rowsOfSubjects(location, owner.tenant))];
}

const ID_NAME = { '#id': 'branch-key-id' };

async function rowsUnder({ dynamodb: client, keysTableName }: KeyLocation, id: string): Promise<Row[]> {
  return await keysOn(
    paginateQuery(
      { client },
      {
        TableName: keysTableName,
        KeyConditionExpression: '#id = :id',
        ExpressionAttributeNames: ID_NAME,
        ExpressionAttributeValues: { ':id': { S: id } },
        ConsistentRead: true,
      },
    ),
  );
}

async function rowsOfSubjects(
  { dynamodb: client, keysTableName }: KeyLocation,
  tenant: string,
): Promise<Row[]> {
  return await keysOn(
    paginateScan(
      { client },
      {
        TableName: keysTableName,
        FilterExpression: 'begins_with(#id, :prefix)',
        ExpressionAttributeNames: ID_NAME,
        ExpressionAttributeValues: { ':prefix': { S: `${tenant}/` } },
        ConsistentRead: true,
      },
    ),
  );
}

async function keysOn(pages: AsyncIterable<{ readonly Items?: Row[] | undefined }>): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const { Items } of pages) rows.push(...(Items ?? []).filter(isKey).map(keyOf));
  return rows;
}

/** Every row but the marks, which stay. */
function isKey(row: Row): boolean {
  return row['type']?.S !== DESTROYED_TYPE;
}

function keyOf(row: Row): Row {
  return { 'branch-key-id': row['branch-key-id'] ?? { S: '' }, type: row['type'] ?? { S: '' } };
}

function isTaken(error: unknown): boolean {
  return (
    error instanceof TransactionCanceledException &&
    (error.CancellationReasons ?? []).some(({ Code }) => Code === 'ConditionalCheckFailed')
  );
}
