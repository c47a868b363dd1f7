import {
  CreateTableCommand,
  paginateScan,
  type AttributeValue,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { CreateKeyCommand } from '@aws-sdk/client-kms';
import { createAwsClients } from '../../sidecar/tokenizer/adapters/aws-clients.ts';
import type { KeyStoreLocation } from '../../sidecar/tokenizer/adapters/branch-key-store.ts';
import { createBranchKey } from '../../sidecar/tokenizer/adapters/branch-keys.ts';
import { createFingerprintKey } from '../../sidecar/tokenizer/adapters/fingerprint-versions.ts';
import { tokensTable } from '../../sidecar/tokenizer/adapters/dynamodb-sweep-store.ts';
import { startEmulatedAws, type EmulatedAws } from './emulated-aws.ts';

/** What the tokenizer stands on: its tables, its key, and a branch key for each of some tenants. */
export interface EmulatedVault extends KeyStoreLocation {
  readonly aws: EmulatedAws;
  readonly tokensTableName: string;
  readonly auditTableName: string;
  readonly fingerprintsTableName: string;
  readonly auditKeyId: string;
  stop(): Promise<void>;
}

export async function startEmulatedVault(tenants: readonly string[]): Promise<EmulatedVault> {
  const aws = await startEmulatedAws();
  const clients = createAwsClients(aws.clientConfig);
  const { KeyMetadata } = await clients.kms.send(new CreateKeyCommand({ Description: 'vault' }));
  const location = {
    ...clients,
    keysTableName: 'tokenmesh-keys',
    kmsKeyArn: KeyMetadata?.Arn ?? '',
  };
  const auditKey = await clients.kms.send(
    new CreateKeyCommand({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }),
  );
  const tokensTableName = 'tokenmesh-tokens';
  const auditTableName = 'tokenmesh-audit';
  const fingerprintsTableName = 'tokenmesh-fingerprints';
  await clients.dynamodb.send(tableOf(location.keysTableName, 'branch-key-id', 'type'));
  await clients.dynamodb.send(new CreateTableCommand(tokensTable(tokensTableName)));
  await clients.dynamodb.send(tableOf(auditTableName, 'pk', 'sk'));
  await clients.dynamodb.send(tableOf(fingerprintsTableName, 'pk', 'sk'));
  for (const tenant of tenants) {
    await createBranchKey(location, { tenant });
    await createFingerprintKey(location, tenant);
  }
  return {
    ...location,
    aws,
    tokensTableName,
    auditTableName,
    fingerprintsTableName,
    auditKeyId: auditKey.KeyMetadata?.Arn ?? '',
    stop: async () => {
      clients.dynamodb.destroy();
      clients.kms.destroy();
      await aws.stop();
    },
  };
}

export function tableOf(TableName: string, ...keys: [hash: string, range?: string]): CreateTableCommand {
  return new CreateTableCommand({
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: keys.map((AttributeName, index) => ({
      AttributeName,
      KeyType: index === 0 ? 'HASH' : 'RANGE',
    })),
    AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
  });
}

/** Every row of a table, in small pages: the vault's client gives a call a second and a half. */
export async function rowsOf(
  client: DynamoDBClient,
  TableName: string,
): Promise<Record<string, AttributeValue>[]> {
  const rows: Record<string, AttributeValue>[] = [];
  for await (const { Items = [] } of paginateScan({ client, pageSize: 100 }, { TableName }))
    rows.push(...Items);
  return rows;
}
