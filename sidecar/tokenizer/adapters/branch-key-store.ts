/**
 * Branch keys from the Encryption SDK's key store: the table says which there are, KMS decrypts them.
 *
 * IAM: kms:Decrypt on the vault's key; dynamodb:GetItem and Query on the key store's table.
 *
 * @module
 */

import { BranchKeyStoreNode } from '@aws-crypto/client-node';
import { QueryCommand, type AttributeValue } from '@aws-sdk/client-dynamodb';
import type { BranchKeyDescription, BranchKeySource } from '../core/crypto/key-source.ts';
import { secretOf } from '../core/crypto/key-derivation.ts';
import { KeyUnavailableError } from '../core/errors.ts';
import type { AwsClients } from './aws-clients.ts';
import { answeredWithin } from './deadline.ts';
import { DESTROYED_TYPE } from './destroyed-keys.ts';

export interface KeyStoreLocation extends AwsClients {
  readonly keysTableName: string;
  readonly kmsKeyArn: string;
}

export interface BranchKeyStoreOptions extends KeyStoreLocation {
  /** For getting one key, retries and all. @default 2500 */
  readonly deadlineMs?: number;
}

export function createBranchKeyStore(options: BranchKeyStoreOptions): BranchKeySource {
  const { deadlineMs = 2_500 } = options;
  const keyStore = new BranchKeyStoreNode(keyStoreInput(options));
  return {
    describe: async (id, patienceMs) =>
      await answeredWithin(patienceMs, KeyUnavailableError, async (abortSignal) => {
        const command = new QueryCommand(everyRowOf(options, id));
        return descriptionOf((await options.dynamodb.send(command, { abortSignal })).Items ?? []);
      }),
    fetch: async (id, version) =>
      await answeredWithin(deadlineMs, KeyUnavailableError, async () => {
        try {
          return secretOf((await keyStore.getBranchKeyVersion(id, version)).branchKey());
        } catch (error) {
          if (isMissing(error)) return undefined;
          throw error;
        }
      }),
  };
}

/** What the key store is made of, for those who read keys and for those who make them. */
export function keyStoreInput({ dynamodb, kms, keysTableName, kmsKeyArn }: KeyStoreLocation): KeyStoreInput {
  return {
    logicalKeyStoreName: keysTableName,
    storage: { ddbTableName: keysTableName, ddbClient: dynamodb },
    keyManagement: { kmsClient: kms },
    kmsConfiguration: isMultiRegion(kmsKeyArn) ? { mrkIdentifier: kmsKeyArn } : { identifier: kmsKeyArn },
  };
}

/**
 * A branch key names the key that it was made under by its ARN, with the region that it was made in. A
 * multi-region key opens it in any region, where it has the same id.
 */
function isMultiRegion(kmsKeyArn: string): boolean {
  return kmsKeyArn.includes(':key/mrk-');
}

type KeyStoreInput = ConstructorParameters<typeof BranchKeyStoreNode>[0];

/** One page: a key has a few versions, whose rows are a few hundred bytes each. */
function everyRowOf({ keysTableName }: KeyStoreLocation, id: string) {
  return {
    TableName: keysTableName,
    KeyConditionExpression: '#id = :id',
    ProjectionExpression: '#type, #version',
    ExpressionAttributeNames: { '#id': 'branch-key-id', '#type': 'type', '#version': 'version' },
    ExpressionAttributeValues: { ':id': { S: id } },
    ConsistentRead: true,
  };
}

/** The `type` of rows is the Encryption SDK's ("branch key store", record format), but for the mark of a destroyed key. */
export const ACTIVE_TYPE = 'branch:ACTIVE';
export const VERSION_PREFIX = 'branch:version:';

function descriptionOf(rows: readonly Record<string, AttributeValue>[]): BranchKeyDescription {
  const types = rows.map((row) => row['type']?.S ?? '');
  if (types.includes(DESTROYED_TYPE)) return { isDestroyed: true, versions: new Set() };
  const versions = new Set(
    types.filter((type) => type.startsWith(VERSION_PREFIX)).map((type) => type.slice(VERSION_PREFIX.length)),
  );
  const active = rows
    .find((row) => row['type']?.S === ACTIVE_TYPE)
    ?.['version']?.S?.slice(VERSION_PREFIX.length);
  return { isDestroyed: false, versions, ...(active === undefined ? {} : { active }) };
}

/** The library has no code for a row that is not there, only these words. */
function isMissing(error: unknown): boolean {
  return error instanceof Error && /was not found in the DynamoDB table/.test(error.message);
}
