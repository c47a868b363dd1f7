/**
 * Keys of subjects and tenants, made and destroyed in the emulated key store; and that what they sealed
 * does not open any more: not for a task that held the keys, and not for the official library.
 *
 * @module
 */

import { buildClient, CommitmentPolicy, KmsHierarchicalKeyRingNode } from '@aws-crypto/client-node';
import { BranchKeyStoreNode } from '@aws-crypto/client-node';
import { DeleteItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { keyStoreInput } from '../../../../sidecar/tokenizer/adapters/branch-key-store.ts';
import { createBranchKey, destroyKeys } from '../../../../sidecar/tokenizer/adapters/branch-keys.ts';
import { sealerOf } from '../../../support/sealer-of.ts';
import { createAwsClients } from '../../../../sidecar/tokenizer/adapters/aws-clients.ts';
import { versionInWrapped } from '../../../../sidecar/tokenizer/core/crypto/data-key.ts';
import { readMessage } from '../../../../sidecar/tokenizer/core/crypto/message.ts';
import { versionText } from '../../../../sidecar/tokenizer/core/crypto/version-bytes.ts';
import { sealingHere } from '../../../../sidecar/tokenizer/core/crypto/sealing.ts';
import { branchKeyIdOf } from '../../../../sidecar/tokenizer/core/crypto/branch-key-id.ts';
import { createVaultKeys, TENANT_FRESHNESS } from '../../../../sidecar/tokenizer/vault-keys.ts';
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
    const sealer = sealerOf(vault);
    const context = contextFor('shop', 'customer-7');
    const message = await sealer.seal(VALUE, context);
    expect(await sealer.open(message, context)).toEqual(VALUE);
    expect(await openElsewhere(message)).toBe(VALUE.toString());
  });

  it('refuses what names a subject that has none, or another subject, or no subject', async () => {
    const sealer = sealerOf(vault);
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
    const before = sealerOf(vault);
    const contexts = [contextFor('shop', gone), contextFor('shop', kept), contextFor('shop')];
    const messages = await Promise.all(contexts.map((context) => before.seal(VALUE, context)));
    expect(await destroyKeys(vault, { tenant: 'shop', subject: gone }, NOW)).toBeGreaterThanOrEqual(2);
    expect(await keyRows(`shop/${gone}`)).toEqual([`shop/${gone} destroyed`]);
    const sealer = sealerOf(vault);
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
    const before = sealerOf(vault);
    const contexts = [contextFor('gone'), contextFor('gone', 'customer-1'), contextFor('bank')];
    const messages = await Promise.all(contexts.map((context) => before.seal(VALUE, context)));
    expect(await destroyKeys(vault, { tenant: 'gone' }, NOW)).toBeGreaterThanOrEqual(4);
    expect(await keyRows('gone')).toEqual(['gone destroyed']);
    const sealer = sealerOf(vault);
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

describe('a task that holds the key of a tenant', () => {
  const DOWN = {
    endpoint: 'http://127.0.0.1:1',
    region: 'us-east-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  };

  it('learns after five seconds that it was destroyed, and knows so for ever', async () => {
    await createBranchKey(vault, { tenant: 'fifth' });
    const clock = { ms: 0 };
    const sealer = sealerOf({ ...vault, now: () => clock.ms });
    const context = contextFor('fifth');
    const message = await sealer.seal(VALUE, context);
    await destroyKeys(vault, { tenant: 'fifth' }, NOW);
    expect(await sealer.open(message, context)).toEqual(VALUE);
    clock.ms = TENANT_FRESHNESS.seenWithinMs;
    for (const ms of [TENANT_FRESHNESS.seenWithinMs, TENANT_FRESHNESS.seenAtLastMs * 2]) {
      clock.ms = ms;
      await expect(sealer.open(message, context)).rejects.toMatchObject({ code: 'ERR_TENANT_SHREDDED' });
    }
  });

  it('goes on for a minute where the key store does not answer, and not for longer', async () => {
    const clock = { ms: 0 };
    const location = { ...vault };
    const { keys, sealer } = createVaultKeys({
      ...location,
      work: sealingHere(randomBytes),
      now: () => clock.ms,
    });
    const context = contextFor('bank');
    const message = await sealer.seal(VALUE, context);
    expect(keys.state()).toEqual({ goodForSeconds: 3600, isRefreshFailing: false });
    const send = vault.dynamodb.send.bind(vault.dynamodb);
    const down = createAwsClients(DOWN).dynamodb;
    vault.dynamodb.send = down.send.bind(down);
    try {
      clock.ms = TENANT_FRESHNESS.seenAtLastMs - 1;
      expect(await sealer.open(message, context)).toEqual(VALUE);
      expect(keys.state()).toEqual({ goodForSeconds: 3540, isRefreshFailing: true });
      clock.ms = TENANT_FRESHNESS.seenAtLastMs;
      await expect(sealer.open(message, context)).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' });
    } finally {
      vault.dynamodb.send = send;
    }
    expect(await sealer.open(message, context)).toEqual(VALUE);
    expect(keys.state()).toMatchObject({ isRefreshFailing: false });
  });

  it('seals under a new version within five seconds of its rotation, and opens what is older', async () => {
    await createBranchKey(vault, { tenant: 'turned' });
    const clock = { ms: 0 };
    const sealer = sealerOf({ ...vault, now: () => clock.ms });
    const context = contextFor('turned');
    const before = await sealer.seal(VALUE, context);
    await new BranchKeyStoreNode(keyStoreInput(vault)).versionKey({ branchKeyIdentifier: 'turned' });
    clock.ms = TENANT_FRESHNESS.seenWithinMs;
    const after = await sealer.seal(VALUE, context);
    expect(versionOf(after)).not.toBe(versionOf(before));
    for (const message of [before, after]) {
      expect(await sealer.open(message, context)).toEqual(VALUE);
      expect(await openElsewhere(message)).toBe(VALUE.toString());
    }
  });

  it('drops a version whose row is gone within five seconds', async () => {
    await createBranchKey(vault, { tenant: 'revoked' });
    const clock = { ms: 0 };
    const sealer = sealerOf({ ...vault, now: () => clock.ms });
    const context = contextFor('revoked');
    const before = await sealer.seal(VALUE, context);
    await new BranchKeyStoreNode(keyStoreInput(vault)).versionKey({ branchKeyIdentifier: 'revoked' });
    await vault.dynamodb.send(
      new DeleteItemCommand({
        TableName: vault.keysTableName,
        Key: { 'branch-key-id': { S: 'revoked' }, type: { S: `branch:version:${versionOf(before)}` } },
      }),
    );
    clock.ms = TENANT_FRESHNESS.seenWithinMs;
    await expect(sealer.open(before, context)).rejects.toMatchObject({ code: 'ERR_RECORD_UNOPENABLE' });
    expect(await sealer.open(await sealer.seal(VALUE, context), context)).toEqual(VALUE);
  });
});

function versionOf(bytes: Uint8Array): string {
  const message = readMessage(bytes);
  if (message === 'other') throw new Error('expected a message of ours');
  return versionText(versionInWrapped(message.wrappedDataKey.bytes) ?? new Uint8Array());
}
