/**
 * Keys of subjects and tenants, made and destroyed in the emulated key store; and that what they sealed
 * does not open any more: not for a task that held the keys, and not for the official library.
 *
 * @module
 */

import { buildClient, CommitmentPolicy, KmsHierarchicalKeyRingNode } from '@aws-crypto/client-node';
import { BranchKeyStoreNode } from '@aws-crypto/client-node';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { keyStoreInput } from '../../../../sidecar/tokenizer/adapters/branch-key-source.ts';
import { createBranchKey, destroyKeys } from '../../../../sidecar/tokenizer/adapters/branch-keys.ts';
import {
  createDestroyedKeys,
  DESTROYED_SEEN_AT_LAST_MS,
  DESTROYED_SEEN_WITHIN_MS,
} from '../../../../sidecar/tokenizer/adapters/destroyed-keys.ts';
import {
  branchKeyIdOf,
  createEncryptionSdkSealer,
} from '../../../../sidecar/tokenizer/adapters/encryption-sdk-sealer.ts';
import { createAwsClients } from '../../../../sidecar/tokenizer/adapters/aws-clients.ts';
import type { EncryptionContext } from '../../../../sidecar/tokenizer/core/encryption-context.ts';
import { newToken } from '../../../contracts/token-store.contract.ts';
import { PREPARE_DEADLINE_MS } from '../../../support/emulated-aws.ts';
import { startEmulatedVault, type EmulatedVault } from '../../../support/emulated-vault.ts';

const NOW = new Date('2026-03-04T05:06:07.008Z');
const VALUE = Buffer.from('4111111111111111');

let vault: EmulatedVault;

beforeAll(async () => {
  vault = await startEmulatedVault(['shop', 'bank']);
}, PREPARE_DEADLINE_MS);

afterAll(() => vault.stop());

function contextFor(tenant: string, subject?: string): EncryptionContext {
  const context = { tenant, token: newToken(), field: 'card', class: 'pan' } as const;
  return subject === undefined ? context : { ...context, subject };
}

/** A keyring of the official library alone, with nothing of ours but the name of the branch key. */
async function openElsewhere(message: Uint8Array): Promise<string> {
  const { decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
  const keyring = new KmsHierarchicalKeyRingNode({
    keyStore: new BranchKeyStoreNode(keyStoreInput(vault)),
    branchKeyIdSupplier: { getBranchKeyId: branchKeyIdOf },
    cacheLimitTtl: 60,
  });
  return (await decrypt(keyring, message)).plaintext.toString();
}

async function keyRows(prefix: string): Promise<string[]> {
  const { Items } = await vault.dynamodb.send(new ScanCommand({ TableName: vault.keysTableName }));
  return (Items ?? [])
    .map((row) => `${row['branch-key-id']?.S} ${row['type']?.S}`)
    .filter((row) => row.startsWith(prefix))
    .toSorted();
}

describe('a subject', () => {
  it('has a key of its own, which an operator makes once', async () => {
    const owner = { tenant: 'shop', subject: 'customer-7' };
    expect(await createBranchKey(vault, owner)).toBe('created');
    expect(await createBranchKey(vault, owner)).toBe('exists');
    expect(await keyRows('shop/customer-7')).toContain('shop/customer-7 branch:ACTIVE');
    const sealer = createEncryptionSdkSealer(vault);
    const context = contextFor('shop', 'customer-7');
    const message = await sealer.seal(VALUE, context);
    expect(await sealer.open(message, context)).toEqual(VALUE);
    expect(await openElsewhere(message)).toBe(VALUE.toString());
  });

  it('refuses what names a subject that has none, or another subject, or no subject', async () => {
    const sealer = createEncryptionSdkSealer(vault);
    await expect(sealer.seal(VALUE, contextFor('shop', 'nobody'))).rejects.toMatchObject({
      code: 'ERR_SUBJECT_UNKNOWN',
    });
    for (const subject of ['customer-1', 'customer-2'])
      await createBranchKey(vault, { tenant: 'shop', subject });
    const context = contextFor('shop', 'customer-1');
    const message = await sealer.seal(VALUE, context);
    const { subject: _subject, ...ofTenant } = context;
    for (const other of [{ ...context, subject: 'customer-2' }, ofTenant]) {
      await expect(sealer.open(message, other)).rejects.toMatchObject({ code: 'ERR_RECORD_UNOPENABLE' });
    }
  });

  it('is forgotten with its key, and no other is', async () => {
    const [gone, kept] = ['customer-3', 'customer-4'];
    for (const subject of [gone, kept]) await createBranchKey(vault, { tenant: 'shop', subject });
    const before = createEncryptionSdkSealer(vault);
    const contexts = [contextFor('shop', gone), contextFor('shop', kept), contextFor('shop')];
    const messages = await Promise.all(contexts.map((context) => before.seal(VALUE, context)));
    expect(await destroyKeys(vault, { tenant: 'shop', subject: gone }, NOW)).toBeGreaterThanOrEqual(2);
    expect(await keyRows(`shop/${gone}`)).toEqual([`shop/${gone} destroyed`]);
    const sealer = createEncryptionSdkSealer(vault);
    const shredded = { code: 'ERR_SUBJECT_SHREDDED' };
    await expect(sealer.open(messages[0]!, contexts[0]!)).rejects.toMatchObject(shredded);
    await expect(sealer.seal(VALUE, contexts[0]!)).rejects.toMatchObject(shredded);
    await expect(openElsewhere(messages[0]!)).rejects.toThrow();
    for (const index of [1, 2]) {
      expect(await sealer.open(messages[index]!, contexts[index]!)).toEqual(VALUE);
      expect(await openElsewhere(messages[index]!)).toBe(VALUE.toString());
    }
  });

  it('refuses a new key for a subject that was forgotten', async () => {
    const owner = { tenant: 'shop', subject: 'customer-5' };
    await createBranchKey(vault, owner);
    await destroyKeys(vault, owner, NOW);
    await expect(createBranchKey(vault, owner)).rejects.toMatchObject({ code: 'ERR_SUBJECT_SHREDDED' });
    expect(await destroyKeys(vault, owner, NOW)).toBe(0);
    expect(await destroyKeys(vault, { tenant: 'shop', subject: 'never-was' }, NOW)).toBe(0);
    expect(await keyRows('shop/never-was')).toEqual([]);
  });
});

describe('a tenant whose keys are destroyed', () => {
  it('takes all of its subjects along, leaves other tenants alone, and stays refused', async () => {
    const owner = { tenant: 'gone', subject: 'customer-1' };
    await createBranchKey(vault, { tenant: 'gone' });
    await createBranchKey(vault, owner);
    const before = createEncryptionSdkSealer(vault);
    const contexts = [contextFor('gone'), contextFor('gone', 'customer-1'), contextFor('bank')];
    const messages = await Promise.all(contexts.map((context) => before.seal(VALUE, context)));
    expect(await destroyKeys(vault, { tenant: 'gone' }, NOW)).toBeGreaterThanOrEqual(4);
    expect(await keyRows('gone')).toEqual(['gone destroyed']);
    const sealer = createEncryptionSdkSealer(vault);
    for (const index of [0, 1]) {
      await expect(sealer.open(messages[index]!, contexts[index]!)).rejects.toMatchObject({
        code: 'ERR_TENANT_SHREDDED',
      });
      await expect(openElsewhere(messages[index]!)).rejects.toThrow();
    }
    expect(await sealer.open(messages[2]!, contexts[2]!)).toEqual(VALUE);
    for (const again of [{ tenant: 'gone' }, owner]) {
      await expect(createBranchKey(vault, again)).rejects.toMatchObject({ code: 'ERR_TENANT_SHREDDED' });
    }
  });
});

describe('what a task knows of destroyed keys', () => {
  it('is read again after five seconds, and for ever once a key is gone', async () => {
    await createBranchKey(vault, { tenant: 'fifth' });
    const clock = { ms: 0 };
    const destroyed = createDestroyedKeys(vault, 2_500, () => clock.ms);
    expect(await destroyed.isDestroyed('fifth')).toBe(false);
    await destroyKeys(vault, { tenant: 'fifth' }, NOW);
    clock.ms = DESTROYED_SEEN_WITHIN_MS - 1;
    expect(await destroyed.isDestroyed('fifth')).toBe(false);
    clock.ms = DESTROYED_SEEN_WITHIN_MS;
    expect(await destroyed.isDestroyed('fifth')).toBe(true);
  });

  it('serves for a minute where the table does not answer, and not for longer', async () => {
    const nowhere = { endpoint: 'http://127.0.0.1:1', region: 'us-east-1' };
    const { dynamodb } = createAwsClients({
      ...nowhere,
      credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    });
    const clock = { ms: 0 };
    const location = { dynamodb: vault.dynamodb, keysTableName: vault.keysTableName };
    const destroyed = createDestroyedKeys(location, 2_500, () => clock.ms);
    expect(await destroyed.isDestroyed('bank')).toBe(false);
    location.dynamodb = dynamodb;
    clock.ms = DESTROYED_SEEN_AT_LAST_MS - 1;
    expect(await destroyed.isDestroyed('bank')).toBe(false);
    clock.ms = DESTROYED_SEEN_AT_LAST_MS;
    await expect(destroyed.isDestroyed('bank')).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' });
  });
});
