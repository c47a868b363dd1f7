/**
 * The stubs that a bench measures against, under the contracts of what they stand for: a store that answers
 * wrongly would be fast.
 *
 * @module
 */

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DecryptCommand, GenerateDataKeyCommand } from '@aws-sdk/client-kms';
import { startStubStore, type Store } from '../../bench/mesh/stores.ts';
import { Workplace } from '../../bench/mesh/workplace.ts';
import { TABLES } from '../../local/aws/resources.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { EMULATOR_CREDENTIALS } from '../../operator/aws-clients.ts';
import { createAwsClients, type AwsClients } from '../../sidecar/tokenizer/adapters/aws-clients.ts';
import { createBranchKey } from '../../sidecar/tokenizer/adapters/branch-keys.ts';
import { createDynamodbFingerprintIndex } from '../../sidecar/tokenizer/adapters/dynamodb-fingerprint-index.ts';
import { createDynamodbIdempotencyStore } from '../../sidecar/tokenizer/adapters/dynamodb-idempotency-store.ts';
import { createDynamodbJobStore } from '../../sidecar/tokenizer/adapters/dynamodb-job-store.ts';
import { createDynamodbTokenStore } from '../../sidecar/tokenizer/adapters/dynamodb-token-store.ts';
import { createKmsAuditMac } from '../../sidecar/tokenizer/adapters/kms-audit-mac.ts';
import { describeAuditMac } from '../contracts/audit-log.contract.ts';
import { describeFieldSealer } from '../contracts/field-sealer.contract.ts';
import { describeFingerprintIndex } from '../contracts/fingerprint-index.contract.ts';
import { describeIdempotencyStore } from '../contracts/idempotency-store.contract.ts';
import { describeJobStore } from '../contracts/job-store.contract.ts';
import { describeTokenStore, sampleRecord } from '../contracts/token-store.contract.ts';
import { sealerOf } from '../support/sealer-of.ts';

let workplace: Workplace;
let stub: Store;
let clients: AwsClients;

beforeAll(async () => {
  workplace = new Workplace();
  stub = await startStubStore(workplace.group('stub'), tokenizationMesh);
  const ours = { region: 'us-east-1', credentials: EMULATOR_CREDENTIALS };
  const { dynamodb } = createAwsClients({ ...ours, endpoint: stub.url });
  const { kms } = createAwsClients({ ...ours, endpoint: stub.kms.url });
  clients = { dynamodb, kms };
  await createBranchKey(location(), { tenant: 'other' });
}, 30_000);

afterAll(async () => {
  clients.dynamodb.destroy();
  clients.kms.destroy();
  await workplace.stop();
});

const onFault = (error: unknown): never => {
  throw error;
};

function location() {
  return { ...clients, keysTableName: TABLES.keys, kmsKeyArn: stub.vaultKeyArn };
}

function store() {
  return createDynamodbTokenStore({ client: clients.dynamodb, tableName: TABLES.tokens, onFault });
}

describeTokenStore('the stub of DynamoDB', store);
describeFingerprintIndex('the stub of DynamoDB', () =>
  createDynamodbFingerprintIndex({ client: clients.dynamodb, tableName: TABLES.fingerprints, onFault }),
);
describeJobStore('the stub of DynamoDB', () =>
  createDynamodbJobStore({ client: clients.dynamodb, tableName: TABLES.tokens }),
);
describeIdempotencyStore('the stub of DynamoDB', () =>
  createDynamodbIdempotencyStore({ client: clients.dynamodb, tableName: TABLES.tokens }),
);
describeAuditMac('the stub of KMS', () =>
  createKmsAuditMac({ kms: clients.kms, auditKeyId: stub.auditKeyArn }),
);
describeFieldSealer('a sealer with the keys of the stub of KMS', () => sealerOf(location()));

describe('the stub of DynamoDB', () => {
  it('counts every record, alone and in batches, and the calls for them', async () => {
    const before = await stub.counts();
    await store().insert(sampleRecord());
    await store().insertMany(Array.from({ length: 30 }, () => sampleRecord()));
    const after = await stub.counts();
    const records = (counts: typeof after): number => counts?.tables[TABLES.tokens]?.records ?? 0;
    const calls = (counts: typeof after, name: string): number => counts?.calls[name] ?? 0;
    expect(records(after) - records(before)).toBe(31);
    expect(calls(after, 'BatchWriteItem') - calls(before, 'BatchWriteItem')).toBe(2);
  });
});

describe('the stub of KMS', () => {
  it('opens what it wrapped under its own context, and refuses another', async () => {
    const KeyId = stub.vaultKeyArn;
    const EncryptionContext = { tenant: 'shop' };
    const made = await clients.kms.send(
      new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext }),
    );
    const { CiphertextBlob, Plaintext } = made;
    const opened = await clients.kms.send(new DecryptCommand({ KeyId, CiphertextBlob, EncryptionContext }));
    expect(opened.Plaintext).toEqual(Plaintext);
    const other = new DecryptCommand({ KeyId, CiphertextBlob, EncryptionContext: { tenant: 'other' } });
    await expect(clients.kms.send(other)).rejects.toMatchObject({ name: 'InvalidCiphertextException' });
  });

  it('counts calls, and makes those about data keys wait as long as it is told', async () => {
    const ask = async (): Promise<number> => {
      const startedAt = performance.now();
      await clients.kms.send(new GenerateDataKeyCommand({ KeyId: stub.vaultKeyArn, KeySpec: 'AES_256' }));
      return performance.now() - startedAt;
    };
    const before = await stub.kms.counts();
    await stub.kms.delay(150);
    expect(await ask()).toBeGreaterThan(140);
    await stub.kms.delay(0);
    await ask();
    const after = await stub.kms.counts();
    expect((after.calls['GenerateDataKey'] ?? 0) - (before.calls['GenerateDataKey'] ?? 0)).toBe(2);
    expect(after.dataKeyCallsAtMs.length - before.dataKeyCallsAtMs.length).toBe(2);
  });
});
