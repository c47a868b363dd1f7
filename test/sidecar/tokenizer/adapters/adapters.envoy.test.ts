import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  AlgorithmSuiteIdentifier,
  BranchKeyStoreNode,
  buildClient,
  CommitmentPolicy,
  KmsHierarchicalKeyRingNode,
} from '@aws-crypto/client-node';
import { GetItemCommand, ScanCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms';
import { createAwsClients } from '../../../../sidecar/tokenizer/adapters/aws-clients.ts';
import { keyStoreInput } from '../../../../sidecar/tokenizer/adapters/branch-key-store.ts';
import { createBranchKey } from '../../../../sidecar/tokenizer/adapters/branch-keys.ts';
import { createDynamodbTokenStore } from '../../../../sidecar/tokenizer/adapters/dynamodb-token-store.ts';
import { sealerOf } from '../../../support/sealer-of.ts';
import { itemKey } from '../../../../sidecar/tokenizer/adapters/record-item.ts';
import type { EncryptionContext } from '../../../../sidecar/tokenizer/core/encryption-context.ts';
import type { FieldSealer, TokenStore } from '../../../../sidecar/tokenizer/core/ports.ts';
import { createDynamodbJobStore } from '../../../../sidecar/tokenizer/adapters/dynamodb-job-store.ts';
import { createDynamodbFingerprintIndex } from '../../../../sidecar/tokenizer/adapters/dynamodb-fingerprint-index.ts';
import { describeFingerprintIndex } from '../../../contracts/fingerprint-index.contract.ts';
import { describeJobStore } from '../../../contracts/job-store.contract.ts';
import { describeFieldSealer } from '../../../contracts/field-sealer.contract.ts';
import {
  describeTokenStore,
  describeTokenStoreDown,
  newToken,
  sampleRecord,
} from '../../../contracts/token-store.contract.ts';
import { PREPARE_DEADLINE_MS } from '../../../support/emulated-aws.ts';
import { startEmulatedVault, type EmulatedVault } from '../../../support/emulated-vault.ts';

let vault: EmulatedVault;

beforeAll(async () => {
  vault = await startEmulatedVault(['shop', 'other']);
}, PREPARE_DEADLINE_MS);

afterAll(() => vault.stop());

const faults: unknown[] = [];

function store(): TokenStore {
  return createDynamodbTokenStore({
    client: vault.dynamodb,
    tableName: vault.tokensTableName,
    onFault: (error) => faults.push(error),
  });
}

/** Nobody listens there: every connection is refused at once. */
const DOWN = {
  endpoint: 'http://127.0.0.1:1',
  region: 'us-east-1',
  credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
};

function storeDown(): TokenStore {
  const { dynamodb } = createAwsClients(DOWN);
  return createDynamodbTokenStore({
    client: dynamodb,
    tableName: 'any',
    onFault: (error) => faults.push(error),
  });
}

function sealer(): FieldSealer {
  return sealerOf(vault);
}

describeTokenStore('DynamoDB', store);
describeFingerprintIndex('DynamoDB', () =>
  createDynamodbFingerprintIndex({
    client: vault.dynamodb,
    tableName: vault.fingerprintsTableName,
    onFault: (error) => faults.push(error),
  }),
);
describeJobStore('DynamoDB', () =>
  createDynamodbJobStore({ client: vault.dynamodb, tableName: vault.tokensTableName }),
);
describeTokenStoreDown('DynamoDB', storeDown);
describeFieldSealer('the branch key sealer', sealer);

const PAN = Buffer.from('4111111111111111');
function contextOf(token: string): EncryptionContext {
  return { tenant: 'shop', token, field: 'card', class: 'pan' };
}

describe('the token store on DynamoDB', () => {
  it('keeps one item for a record, whose expiry never comes before the exact one', async () => {
    const record = sampleRecord({ expiresAt: new Date('2030-01-01T00:00:00.001Z') });
    await store().insert(record);
    const { Item } = await vault.dynamodb.send(
      new GetItemCommand({ TableName: vault.tokensTableName, Key: itemKey(record) }),
    );
    expect(Item).toMatchObject({
      pk: { S: `shop#${record.token}` },
      sk: { S: 'record' },
      version: { N: '1' },
      createdAt: { S: '2026-01-02T03:04:05.678Z' },
      expiresAt: { N: '1893456001' },
      expiresAtMs: { N: '1893456000001' },
      fields: { M: { card: { M: { class: { S: 'pan' } } }, mail: { M: { class: { S: 'email' } } } } },
    });
  });

  it('refuses an item of another version, alone and in a batch', async () => {
    const record = sampleRecord();
    await store().insert(record);
    await vault.dynamodb.send(
      new UpdateItemCommand({
        TableName: vault.tokensTableName,
        Key: itemKey(record),
        UpdateExpression: 'SET version = :next',
        ExpressionAttributeValues: { ':next': { N: '2' } },
      }),
    );
    await expect(store().find(record)).rejects.toMatchObject({ code: 'ERR_RECORD_UNOPENABLE' });
    expect(await store().findMany([record])).toEqual(['unopenable']);
  });

  it('tells of the calls of a batch that failed', async () => {
    faults.length = 0;
    await storeDown().insertMany([sampleRecord()]);
    expect(faults).toHaveLength(1);
  });
});

describe('the sealer', () => {
  it('makes messages that the official library opens with a keyring of its own', async () => {
    const context = contextOf(newToken());
    const record = sampleRecord({
      token: context.token,
      fields: new Map([['card', { class: 'pan', message: await sealer().seal(PAN, context) }]]),
    });
    await store().insert(record);
    const { Item } = await vault.dynamodb.send(
      new GetItemCommand({ TableName: vault.tokensTableName, Key: itemKey(record) }),
    );
    const message = Item?.['fields']?.M?.['card']?.M?.['message']?.B ?? new Uint8Array();
    const keyring = new KmsHierarchicalKeyRingNode({
      keyStore: new BranchKeyStoreNode(keyStoreInput(vault)),
      branchKeyId: 'shop',
      cacheLimitTtl: 60,
    });
    const { decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
    const { plaintext, messageHeader } = await decrypt(keyring, message);
    expect(plaintext.equals(PAN)).toBe(true);
    expect({ ...messageHeader.encryptionContext }).toEqual(context);
    expect(messageHeader.suiteId).toBe(
      AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY,
    );
    expect(messageHeader.encryptedDataKeys).toHaveLength(1);
  });

  it('asks for a branch key once, however many fields are sealed and opened', async () => {
    const asked: string[] = [];
    const clients = createAwsClients(vault.aws.clientConfig);
    clients.kms.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          asked.push(commandName ?? '');
          return await next(args);
        },
      { step: 'initialize' },
    );
    const counted = sealerOf({ ...vault, ...clients });
    const contexts = Array.from({ length: 20 }, () => contextOf(newToken()));
    const messages = await Promise.all(contexts.map((context) => counted.seal(PAN, context)));
    await Promise.all(contexts.map((context, index) => counted.open(messages[index] ?? PAN, context)));
    expect(asked).toEqual(['DecryptCommand']);
  });

  it('seals under the branch key even where many wait for it at a time', async () => {
    const cold = sealer();
    const contexts = Array.from({ length: 20 }, () => contextOf(newToken()));
    const messages = await Promise.all(contexts.map((context) => cold.seal(PAN, context)));
    const other = sealer();
    for (const [index, context] of contexts.entries()) {
      const opened = await other.open(messages[index] ?? PAN, context);
      expect(Buffer.from(opened).equals(PAN)).toBe(true);
    }
  });

  it('refuses a message with any one byte changed, and never takes it for an outage', async () => {
    const warm = sealer();
    const context = contextOf(newToken());
    const message = Buffer.from(await warm.seal(PAN, context));
    for (const at of message.keys()) {
      const changed = Buffer.from(message);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      await expect(warm.open(changed, context)).rejects.toMatchObject({ code: 'ERR_RECORD_UNOPENABLE' });
    }
  });

  it('goes on with the branch keys that it holds while KMS refuses', async () => {
    const warm = sealer();
    const context = contextOf(newToken());
    await warm.open(await warm.seal(PAN, context), context);
    await vault.kms.send(new DisableKeyCommand({ KeyId: vault.kmsKeyArn }));
    try {
      const message = await warm.seal(PAN, context);
      expect(Buffer.from(await warm.open(message, context)).equals(PAN)).toBe(true);
      const cold = { code: 'ERR_KEY_UNAVAILABLE' };
      await expect(sealer().seal(PAN, context)).rejects.toMatchObject(cold);
      await expect(sealer().open(message, context)).rejects.toMatchObject(cold);
    } finally {
      await vault.kms.send(new EnableKeyCommand({ KeyId: vault.kmsKeyArn }));
    }
  });

  it('gives up within its deadline, and says that the key is not to be had', async () => {
    const context = contextOf(newToken());
    const message = await sealer().seal(PAN, context);
    const hasty = sealerOf({ ...vault, ...createAwsClients(DOWN), deadlineMs: 10 });
    await expect(hasty.seal(PAN, context)).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' });
    await expect(hasty.open(message, context)).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' });
  });
});

describe('branch keys', () => {
  it('are made once for a tenant, and bound to it', async () => {
    expect(await createBranchKey(vault, { tenant: 'third' })).toBe('created');
    const before = await keyItemsOf('third');
    expect(await createBranchKey(vault, { tenant: 'third' })).toBe('exists');
    expect(await keyItemsOf('third')).toEqual(before);
    expect(before.map((item) => item['aws-crypto-ec:tenant']?.S)).toEqual(['third', 'third', 'third']);
  });
});

async function keyItemsOf(tenant: string) {
  const { Items } = await vault.dynamodb.send(
    new ScanCommand({
      TableName: vault.keysTableName,
      FilterExpression: '#id = :tenant',
      ExpressionAttributeNames: { '#id': 'branch-key-id' },
      ExpressionAttributeValues: { ':tenant': { S: tenant } },
    }),
  );
  return Items ?? [];
}
