/**
 * Where the keyring gets branch keys from: the Encryption SDK's key store, asked
 * once for each key at a time, with a deadline, and remembered when it fails.
 *
 * @module
 */

import { BranchKeyStoreNode } from '@aws-crypto/client-node';
import type { AwsClients } from './aws-clients.ts';
import { withDeadline } from './deadline.ts';

export interface KeyStoreLocation extends AwsClients {
  readonly keysTableName: string;
  readonly kmsKeyArn: string;
}

/** What the key store and KMS refused, or did not answer in time. */
export interface Outages {
  count: number;
  last: unknown;
}

/**
 * The key store, as a keyring wants it.
 *
 * @param outages - Counts what failed on the way to a key. The keyring turns
 *   every failure into one text; whoever compares the count before and after
 *   knows a message that does not open from a key that could not be had.
 */
export function createBranchKeySource(
  location: KeyStoreLocation,
  deadlineMs: number,
  outages: Outages,
): BranchKeyStoreNode {
  const underWay = new Map<string, Promise<BranchKey>>();
  const once = async (name: string, get: () => Promise<BranchKey>): Promise<BranchKey> => {
    const joined =
      underWay.get(name) ?? watched(get, deadlineMs, outages).finally(() => underWay.delete(name));
    underWay.set(name, joined);
    return await joined;
  };
  class WatchedKeyStore extends BranchKeyStoreNode {
    override getActiveBranchKey(id: string): Promise<BranchKey> {
      return once(`active ${id}`, () => super.getActiveBranchKey(id));
    }
    override getBranchKeyVersion(id: string, version: string): Promise<BranchKey> {
      return once(`version ${version} ${id}`, () => super.getBranchKeyVersion(id, version));
    }
  }
  return new WatchedKeyStore(keyStoreInput(location));
}

/** What the key store is made of, for those who read keys and for those who make them. */
export function keyStoreInput({ dynamodb, kms, keysTableName, kmsKeyArn }: KeyStoreLocation): KeyStoreInput {
  return {
    logicalKeyStoreName: keysTableName,
    storage: { ddbTableName: keysTableName, ddbClient: dynamodb },
    keyManagement: { kmsClient: kms },
    kmsConfiguration: { identifier: kmsKeyArn },
  };
}

type KeyStoreInput = ConstructorParameters<typeof BranchKeyStoreNode>[0];
type BranchKey = Awaited<ReturnType<BranchKeyStoreNode['getActiveBranchKey']>>;

async function watched(
  get: () => Promise<BranchKey>,
  deadlineMs: number,
  outages: Outages,
): Promise<BranchKey> {
  try {
    return await withDeadline(deadlineMs, get);
  } catch (error) {
    if (!isMissing(error)) {
      outages.count += 1;
      outages.last = error;
    }
    throw error;
  }
}

/**
 * Whether the key store answered that there is no such key: a message that names a version which
 * never was is forged, and no outage. The library has no code for it, only these words.
 */
function isMissing(error: unknown): boolean {
  return error instanceof Error && /was not found in the DynamoDB table/.test(error.message);
}
