import { afterAll, beforeAll } from '@jest/globals';
import { createAwsClients } from '../../../../sidecar/tokenizer/adapters/aws-clients.ts';
import { createDynamodbIdempotencyStore } from '../../../../sidecar/tokenizer/adapters/dynamodb-idempotency-store.ts';
import { createDynamodbReferenceStore } from '../../../../sidecar/tokenizer/adapters/dynamodb-reference-store.ts';
import { createDynamodbTokenStore } from '../../../../sidecar/tokenizer/adapters/dynamodb-token-store.ts';
import {
  describeReferenceStore,
  describeReferenceStoreDown,
} from '../../../contracts/reference-store.contract.ts';
import {
  describeIdempotencyStore,
  describeIdempotencyStoreDown,
} from '../../../contracts/idempotency-store.contract.ts';
import { PREPARE_DEADLINE_MS } from '../../../support/emulated-aws.ts';
import { startEmulatedVault, type EmulatedVault } from '../../../support/emulated-vault.ts';

let vault: EmulatedVault;

beforeAll(async () => {
  vault = await startEmulatedVault(['shop']);
}, PREPARE_DEADLINE_MS);

afterAll(() => vault.stop());

/** Nobody listens there: every connection is refused at once. */
const DOWN = {
  client: createAwsClients({
    endpoint: 'http://127.0.0.1:1',
    region: 'us-east-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  }).dynamodb,
  tableName: 'any',
};

const table = () => ({ client: vault.dynamodb, tableName: vault.tokensTableName });

describeIdempotencyStore('DynamoDB', () => createDynamodbIdempotencyStore(table()));
describeIdempotencyStoreDown('DynamoDB', () => createDynamodbIdempotencyStore(DOWN));
describeReferenceStore('DynamoDB', () => ({
  references: createDynamodbReferenceStore(table()),
  store: createDynamodbTokenStore({ ...table(), onFault: () => undefined }),
}));
describeReferenceStoreDown('DynamoDB', () => createDynamodbReferenceStore(DOWN));
