/**
 * The versions of a branch key: listed, made and destroyed. The operator's work, under a role of its own.
 *
 * IAM to list: dynamodb:Query and Scan on the key store's table, and nothing of KMS.
 * IAM to make: kms:GenerateDataKeyWithoutPlaintext and kms:ReEncrypt* on the vault's key; dynamodb:GetItem and
 * TransactWriteItems (PutItem) on the table. IAM to destroy: dynamodb:Query and DeleteItem.
 *
 * @module
 */

import { BranchKeyStoreNode } from '@aws-crypto/client-node';
import {
  DeleteItemCommand,
  paginateQuery,
  paginateScan,
  TransactionCanceledException,
  type AttributeValue,
} from '@aws-sdk/client-dynamodb';
import { branchKeyIdOf } from '../core/crypto/branch-key-id.ts';
import { ACTIVE_TYPE, keyStoreInput, VERSION_PREFIX, type KeyStoreLocation } from './branch-key-store.ts';
import type { KeyLocation, KeyOwner } from './branch-keys.ts';
import { DESTROYED_TYPE } from './destroyed-keys.ts';

export interface BranchKeyVersion {
  readonly version: string;
  readonly isActive: boolean;
  readonly createdAt: Date;
}

/** One branch key, as the key store says without KMS. */
export interface BranchKeyVersions {
  readonly id: string;
  readonly isDestroyed: boolean;
  /** The newest first. */
  readonly versions: readonly BranchKeyVersion[];
}

/** @returns Undefined where there was never a key of the name. */
export async function findBranchKey(
  location: KeyLocation,
  owner: KeyOwner,
): Promise<BranchKeyVersions | undefined> {
  const { dynamodb: client, keysTableName: TableName } = location;
  const pages = paginateQuery(
    { client },
    {
      TableName,
      KeyConditionExpression: '#id = :id',
      ...PROJECTION,
      ExpressionAttributeValues: { ':id': { S: branchKeyIdOf(owner) } },
      ConsistentRead: true,
    },
  );
  return (await keysIn(pages))[0];
}

/** Those of a tenant's subjects: a scan, since they are as many as there are subjects. */
export async function branchKeysOfSubjects(
  { dynamodb: client, keysTableName: TableName }: KeyLocation,
  tenant: string,
): Promise<readonly BranchKeyVersions[]> {
  const pages = paginateScan(
    { client },
    {
      TableName,
      FilterExpression: 'begins_with(#id, :prefix)',
      ...PROJECTION,
      ExpressionAttributeValues: { ':prefix': { S: branchKeyIdOf({ tenant, subject: '' }) } },
      ConsistentRead: true,
    },
  );
  return await keysIn(pages);
}

/**
 * Makes a new version, under which everything is sealed from now on; the old goes on to open what it sealed.
 *
 * @returns `'overtaken'`, with nothing changed, where another command was faster.
 */
export async function rotateBranchKey(
  location: KeyStoreLocation,
  owner: KeyOwner,
): Promise<'rotated' | 'overtaken'> {
  try {
    const keyStore = new BranchKeyStoreNode(keyStoreInput(location));
    await keyStore.versionKey({ branchKeyIdentifier: branchKeyIdOf(owner) });
    return 'rotated';
  } catch (error) {
    if (error instanceof TransactionCanceledException) return 'overtaken';
    throw error;
  }
}

/**
 * Destroys a version that is not the active one, which is for the caller to have seen: no version becomes
 * active again.
 *
 * @returns Whether there was one.
 */
export async function destroyBranchKeyVersion(
  { dynamodb, keysTableName: TableName }: KeyLocation,
  owner: KeyOwner,
  version: string,
): Promise<'destroyed' | 'missing'> {
  const Key = { 'branch-key-id': { S: branchKeyIdOf(owner) }, type: { S: VERSION_PREFIX + version } };
  const { Attributes } = await dynamodb.send(
    new DeleteItemCommand({ TableName, Key, ReturnValues: 'ALL_OLD' }),
  );
  return Attributes === undefined ? 'missing' : 'destroyed';
}

const PROJECTION = {
  ProjectionExpression: '#id, #type, #version, #created',
  ExpressionAttributeNames: {
    '#id': 'branch-key-id',
    '#type': 'type',
    '#version': 'version',
    '#created': 'create-time',
  },
} as const;

type Row = Record<string, AttributeValue>;

async function keysIn(
  pages: AsyncIterable<{ readonly Items?: Row[] | undefined }>,
): Promise<BranchKeyVersions[]> {
  const rows: Row[] = [];
  for await (const { Items } of pages) rows.push(...(Items ?? []));
  const byId = Map.groupBy(rows, (row) => row['branch-key-id']?.S ?? '');
  return [...byId].map(([id, ofKey]) => ({ id, ...versionsIn(ofKey) }));
}

function versionsIn(rows: readonly Row[]): Omit<BranchKeyVersions, 'id'> {
  const active = rows.find((row) => typeOf(row) === ACTIVE_TYPE)?.['version']?.S;
  const versions = rows
    .filter((row) => typeOf(row).startsWith(VERSION_PREFIX))
    .map((row) => ({
      version: typeOf(row).slice(VERSION_PREFIX.length),
      isActive: typeOf(row) === active,
      createdAt: new Date(row['create-time']?.S ?? ''),
    }))
    .toSorted((one, other) => other.createdAt.getTime() - one.createdAt.getTime());
  return { isDestroyed: rows.some((row) => typeOf(row) === DESTROYED_TYPE), versions };
}

function typeOf(row: Row): string {
  return row['type']?.S ?? '';
}
