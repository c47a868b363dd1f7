/**
 * The fingerprint keys of tenants: wrapped by KMS, unwrapped once for each version and task.
 *
 * IAM: kms:Decrypt on the vault's key; dynamodb:GetItem on the key store's table.
 *
 * @module
 */

import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { DecryptCommand } from '@aws-sdk/client-kms';
import { KeyUnavailableError, TenantShreddedError } from '../core/errors.ts';
import { RING_LEASE_MS, type FingerprintKeys, type FingerprintRing } from '../core/fingerprints/ports.ts';
import { versionKeys, type VersionKeys } from '../core/fingerprints/version-keys.ts';
import type { KeyStoreLocation } from './branch-key-store.ts';
import { SingleFlight } from '../core/single-flight.ts';
import { answeredWithin } from './deadline.ts';
import { fingerprintKeyContext, readFingerprintState, versionRowKey } from './fingerprint-state.ts';

export interface KmsFingerprintKeysOptions extends KeyStoreLocation {
  /** Whether the keys of the tenant were destroyed. */
  readonly isDestroyed: (tenant: string) => Promise<boolean>;
  /** @default 2500 */
  readonly deadlineMs?: number;
  /** Milliseconds, of a clock that does not go back. @default performance.now */
  readonly now?: () => number;
}

interface Known {
  readonly ring: FingerprintRing;
  readonly at: number;
}

export function createKmsFingerprintKeys(options: KmsFingerprintKeysOptions): FingerprintKeys {
  const { deadlineMs = 2_500, now = () => performance.now() } = options;
  const known = new Map<string, Known>();
  const reading = new SingleFlight<Known>();
  const unwrapped = new Map<string, VersionKeys>();
  const keysOf = async (tenant: string, version: number, signal: AbortSignal): Promise<VersionKeys> => {
    const name = `${tenant}#${version}`;
    const keys = unwrapped.get(name) ?? (await unwrap(options, tenant, version, signal));
    unwrapped.set(name, keys);
    return keys;
  };
  const read = async (tenant: string): Promise<Known> => {
    // The time of the question, and not of the answer: the lease counts from what was true then.
    const at = now();
    const ring = await answeredWithin(deadlineMs, KeyUnavailableError, async (signal) => {
      const state = await readFingerprintState(options, tenant, signal);
      if (state === undefined) throw new Error('expected a fingerprint key of the tenant');
      const all = new Map<number, VersionKeys>();
      for (const version of state.read) all.set(version, await keysOf(tenant, version, signal));
      forgetOthers(unwrapped, tenant, state.read);
      const of = (versions: readonly number[]) => versions.flatMap((version) => all.get(version) ?? []);
      return { write: of(state.write), read: of(state.read) };
    });
    const found = { ring, at };
    known.set(tenant, found);
    return found;
  };
  return {
    async ringOf(tenant) {
      if (await options.isDestroyed(tenant)) {
        known.delete(tenant);
        for (const name of unwrapped.keys()) if (name.startsWith(`${tenant}#`)) unwrapped.delete(name);
        throw new TenantShreddedError();
      }
      const found = known.get(tenant);
      if (found !== undefined && now() - found.at < RING_LEASE_MS) return found.ring;
      const { ring, at } = await reading.join(tenant, () => read(tenant));
      // Asked too long ago by now: it may be a step of a rotation behind.
      if (now() - at >= RING_LEASE_MS) throw new KeyUnavailableError();
      return ring;
    },
  };
}

/** A version that is read no more is not kept in memory either: its key was destroyed. */
function forgetOthers(unwrapped: Map<string, VersionKeys>, tenant: string, read: readonly number[]): void {
  const kept = new Set(read.map((version) => `${tenant}#${version}`));
  for (const name of unwrapped.keys()) {
    if (name.startsWith(`${tenant}#`) && !kept.has(name)) unwrapped.delete(name);
  }
}

async function unwrap(
  { dynamodb, kms, keysTableName: TableName, kmsKeyArn: KeyId }: KeyStoreLocation,
  tenant: string,
  version: number,
  abortSignal: AbortSignal,
): Promise<VersionKeys> {
  const command = new GetItemCommand({
    TableName,
    Key: versionRowKey(tenant, version),
    ConsistentRead: true,
  });
  const { Item } = await dynamodb.send(command, { abortSignal });
  const answer = await kms.send(
    new DecryptCommand({
      KeyId,
      CiphertextBlob: Item?.['wrapped']?.B ?? new Uint8Array(),
      EncryptionContext: fingerprintKeyContext(tenant, version),
    }),
    { abortSignal },
  );
  if (answer.Plaintext === undefined) throw new Error('expected KMS to answer with a key');
  return versionKeys(version, answer.Plaintext);
}
