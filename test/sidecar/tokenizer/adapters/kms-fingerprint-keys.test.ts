import { describe, expect, it } from '@jest/globals';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { KMSClient } from '@aws-sdk/client-kms';
import {
  createKmsFingerprintKeys,
  type KmsFingerprintKeysOptions,
} from '../../../../sidecar/tokenizer/adapters/kms-fingerprint-keys.ts';
import { RING_LEASE_MS } from '../../../../sidecar/tokenizer/core/fingerprints/ports.ts';

/** A key store that says which versions there are, and takes as long to answer as a test wants. */
function setUp() {
  const clock = { ms: 1_000_000 };
  const state = { write: [1], read: [1], takesMs: 0 };
  const unwrapped: string[] = [];
  const dynamodb = {
    send: async ({ input }: { input: { Key: { type: { S: string } } } }) => {
      if (input.Key.type.S !== 'state') return { Item: { wrapped: { B: Uint8Array.of(1) } } };
      clock.ms += state.takesMs;
      return { Item: { state: { S: JSON.stringify(state) } } };
    },
  };
  const kms = {
    send: async ({ input }: { input: { EncryptionContext: Record<string, string> } }) => {
      unwrapped.push(input.EncryptionContext['version'] ?? '');
      return { Plaintext: new Uint8Array(32) };
    },
  };
  const options: KmsFingerprintKeysOptions = {
    dynamodb: dynamodb as unknown as DynamoDBClient,
    kms: kms as unknown as KMSClient,
    keysTableName: 'keys',
    kmsKeyArn: 'key',
    isDestroyed: async () => false,
    now: () => clock.ms,
  };
  return { clock, state, unwrapped, keys: createKmsFingerprintKeys(options) };
}

const versionsOf = (some: readonly { readonly version: number }[]) => some.map(({ version }) => version);

describe('the fingerprint keys of a tenant', () => {
  it('are as they were within the lease, and asked for again after it', async () => {
    const { clock, state, keys, unwrapped } = setUp();
    await keys.ringOf('shop');
    Object.assign(state, { write: [1, 2], read: [2, 1] });
    clock.ms += RING_LEASE_MS - 1;
    expect(versionsOf((await keys.ringOf('shop')).write)).toEqual([1]);
    clock.ms += 1;
    const { write, read } = await keys.ringOf('shop');
    expect([versionsOf(write), versionsOf(read), unwrapped]).toEqual([
      [1, 2],
      [2, 1],
      ['1', '2'],
    ]);
  });

  it('are refused where the answer took as long as the lease, so that no task is two steps behind', async () => {
    const { state, keys } = setUp();
    state.takesMs = RING_LEASE_MS;
    await expect(keys.ringOf('shop')).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' });
    state.takesMs = 0;
    expect(versionsOf((await keys.ringOf('shop')).write)).toEqual([1]);
  });

  it('are not kept in memory once a version is read no more', async () => {
    const { clock, state, keys, unwrapped } = setUp();
    Object.assign(state, { write: [1, 2], read: [2, 1] });
    await keys.ringOf('shop');
    for (const read of [[2], [2, 1]]) {
      Object.assign(state, { write: [2], read });
      clock.ms += RING_LEASE_MS;
      await keys.ringOf('shop');
    }
    expect(unwrapped).toEqual(['2', '1', '1']);
  });
});
