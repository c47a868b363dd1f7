/**
 * What sealing anew and counting stand on, with the emulated AWS and the official library.
 *
 * @module
 */

import {
  AlgorithmSuiteIdentifier,
  BranchKeyStoreNode,
  buildClient,
  CommitmentPolicy,
  KmsHierarchicalKeyRingNode,
} from '@aws-crypto/client-node';
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createAwsClients } from '../../../../sidecar/tokenizer/adapters/aws-clients.ts';
import { keyStoreInput } from '../../../../sidecar/tokenizer/adapters/branch-key-store.ts';
import {
  branchKeysOfSubjects,
  destroyBranchKeyVersion,
  findBranchKey,
  rotateBranchKey,
} from '../../../../sidecar/tokenizer/adapters/branch-key-versions.ts';
import { createBranchKey, destroyKeys } from '../../../../sidecar/tokenizer/adapters/branch-keys.ts';
import { createDynamodbResealStore } from '../../../../sidecar/tokenizer/adapters/dynamodb-reseal-store.ts';
import { createDynamodbRewrapAsks } from '../../../../sidecar/tokenizer/adapters/dynamodb-rewrap-asks.ts';
import { createDynamodbSealedRows } from '../../../../sidecar/tokenizer/adapters/dynamodb-sealed-rows.ts';
import { createDynamodbTokenStore } from '../../../../sidecar/tokenizer/adapters/dynamodb-token-store.ts';
import { itemKey } from '../../../../sidecar/tokenizer/adapters/record-item.ts';
import { branchKeyVersionOf } from '../../../../sidecar/tokenizer/core/crypto/branch-key-version.ts';
import { describeResealStore, describeRewrapAsks } from '../../../contracts/rewrapping.contract.ts';
import { sampleRecord } from '../../../contracts/token-store.contract.ts';
import { PREPARE_DEADLINE_MS } from '../../../support/emulated-aws.ts';
import { startEmulatedVault, type EmulatedVault } from '../../../support/emulated-vault.ts';

let vault: EmulatedVault;

beforeAll(async () => {
  vault = await startEmulatedVault(['shop', 'other', 'rotated']);
}, PREPARE_DEADLINE_MS);

afterAll(() => vault.stop());

const table = () => ({ client: vault.dynamodb, tableName: vault.tokensTableName });
const stores = () => ({
  store: createDynamodbTokenStore({ ...table(), onFault: () => undefined }),
  reseal: createDynamodbResealStore(table()),
  rows: createDynamodbSealedRows(table()),
});

describeResealStore('DynamoDB', stores);
describeRewrapAsks('DynamoDB', () => createDynamodbRewrapAsks(table()));

describe('the rows of the table', () => {
  it('say of what is no record that it cannot be read', async () => {
    const { store, rows } = stores();
    const record = sampleRecord({ tenant: 'broken' });
    await store.insert(record);
    await vault.dynamodb.send(
      new UpdateItemCommand({
        TableName: vault.tokensTableName,
        Key: itemKey(record),
        UpdateExpression: 'SET version = :next',
        ExpressionAttributeValues: { ':next': { N: '99' } },
      }),
    );
    expect((await rows.page('broken', undefined, 1_000)).rows).toEqual([
      { kind: 'unreadable', key: { tenant: 'broken', token: record.token } },
    ]);
  });

  it('are an outage where nothing answers', async () => {
    const { dynamodb } = createAwsClients({
      endpoint: 'http://127.0.0.1:1',
      region: 'us-east-1',
      credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    });
    const down = { client: dynamodb, tableName: 'any' };
    const unavailable = { code: 'ERR_STORE_UNAVAILABLE' };
    const record = sampleRecord();
    await expect(createDynamodbSealedRows(down).page('shop', undefined, 1)).rejects.toMatchObject(
      unavailable,
    );
    await expect(createDynamodbRewrapAsks(down).find('shop')).rejects.toMatchObject(unavailable);
    await expect(createDynamodbResealStore(down).resealRecord(record, record.fields)).rejects.toMatchObject(
      unavailable,
    );
  });
});

describe('the versions of a branch key', () => {
  it('are those of the key store, the newest active, the older still there until it is destroyed', async () => {
    const owner = { tenant: 'rotated' };
    const [first] = (await findBranchKey(vault, owner))?.versions ?? [];
    expect(await rotateBranchKey(vault, owner)).toBe('rotated');
    const key = await findBranchKey(vault, owner);
    expect(key?.versions.map(({ isActive }) => isActive)).toEqual([true, false]);
    expect(key?.versions[1]).toEqual({ ...first, isActive: false });
    expect(await destroyBranchKeyVersion(vault, owner, first?.version ?? '')).toBe('destroyed');
    expect(await destroyBranchKeyVersion(vault, owner, first?.version ?? '')).toBe('missing');
    expect((await findBranchKey(vault, owner))?.versions).toEqual([key?.versions[0]]);
  });

  it('are told for subjects apart, and of a destroyed key that it is destroyed', async () => {
    for (const subject of ['kept', 'gone']) await createBranchKey(vault, { tenant: 'other', subject });
    await destroyKeys(vault, { tenant: 'other', subject: 'gone' }, new Date());
    const keys = await branchKeysOfSubjects(vault, 'other');
    const seen = keys.map(({ id, isDestroyed, versions }) => `${id} ${isDestroyed} ${versions.length}`);
    expect(seen.toSorted()).toEqual(['other/gone true 0', 'other/kept false 1']);
    expect(await findBranchKey(vault, { tenant: 'nobody' })).toBeUndefined();
  });
});

describe('the version in a message', () => {
  it('is read from one that the official library made, whatever its suite and length', async () => {
    const keyStore = new BranchKeyStoreNode(keyStoreInput(vault));
    const keyring = new KmsHierarchicalKeyRingNode({ branchKeyId: 'shop', keyStore, cacheLimitTtl: 60 });
    const { encrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
    const active = (await findBranchKey(vault, { tenant: 'shop' }))?.versions[0]?.version;
    for (const suiteId of [
      AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY,
      AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY_ECDSA_P384,
    ]) {
      const { result } = await encrypt(keyring, Buffer.alloc(5_000), { suiteId, frameLength: 1_024 });
      expect(branchKeyVersionOf(result)).toBe(active);
    }
  });
});
