/**
 * What the CDK makes on AWS, made in an empty emulated account: the same resources under the same names.
 *
 * @module
 */

import { CreateTableCommand, UpdateTimeToLiveCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateAliasCommand, CreateKeyCommand } from '@aws-sdk/client-kms';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { createHandler } from '../../cert-exporter/handler.ts';
import type { CertificateRole, Hierarchy, Mesh } from '../../mesh/definition.ts';
import { hierarchyOf, identityOf, nodeNames } from '../../mesh/identity.ts';
import type { AwsClients } from '../../operator/aws-clients.ts';
import { trustSecretName } from '../../pki/secret.ts';
import type { Logger } from '../../runtime/log.ts';
import { createBranchKey } from '../../sidecar/tokenizer/adapters/branch-keys.ts';
import { createFingerprintKey } from '../../sidecar/tokenizer/adapters/fingerprint-versions.ts';
import { tokensTable } from '../../sidecar/tokenizer/adapters/dynamodb-sweep-store.ts';
import { createHierarchy, requestNodeCertificate, type CreatedHierarchy } from './private-ca.ts';

export const TABLES = {
  tokens: 'tokenmesh-tokens',
  keys: 'tokenmesh-keys',
  orders: 'CustomerOrderTable',
  audit: 'tokenmesh-audit',
  fingerprints: 'tokenmesh-fingerprints',
};

export interface VaultResources {
  readonly vaultKeyArn: string;
  readonly auditKeyArn: string;
}

/** The keys and the tables of the vault and its audit, and the branch key of every tenant. */
export async function createVaultResources(aws: AwsClients, mesh: Mesh): Promise<VaultResources> {
  const created = await aws.kms.send(
    new CreateKeyCommand({ Description: 'wraps the branch keys of the vault' }),
  );
  const vaultKeyArn = created.KeyMetadata?.Arn ?? '';
  await Promise.all([
    aws.kms.send(new CreateAliasCommand({ AliasName: 'alias/tokenmesh-vault', TargetKeyId: vaultKeyArn })),
    aws.dynamodb.send(new CreateTableCommand(tokensTable(TABLES.tokens))),
    createTable(aws.dynamodb, TABLES.keys, 'branch-key-id', 'type'),
    createTable(aws.dynamodb, TABLES.orders, 'orderId'),
    createTable(aws.dynamodb, TABLES.audit, 'pk', 'sk'),
    createTable(aws.dynamodb, TABLES.fingerprints, 'pk', 'sk'),
  ]);
  for (const TableName of [TABLES.tokens, TABLES.fingerprints]) {
    await aws.dynamodb.send(
      new UpdateTimeToLiveCommand({
        TableName,
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      }),
    );
  }
  const location = { ...aws, keysTableName: TABLES.keys, kmsKeyArn: vaultKeyArn };
  for (const tenant of tenantsOf(mesh)) {
    await createBranchKey(location, { tenant });
    await createFingerprintKey(location, tenant);
  }
  return { vaultKeyArn, auditKeyArn: await createAuditKey(aws.kms) };
}

/** Makes the seals of the audit. Of HMAC: whoever has no leave to use it can neither make nor alter one. */
async function createAuditKey(kms: AwsClients['kms']): Promise<string> {
  const created = await kms.send(
    new CreateKeyCommand({
      Description: 'seals the audit',
      KeySpec: 'HMAC_256',
      KeyUsage: 'GENERATE_VERIFY_MAC',
    }),
  );
  const auditKeyArn = created.KeyMetadata?.Arn ?? '';
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/tokenmesh-audit', TargetKeyId: auditKeyArn }));
  return auditKeyArn;
}

function tenantsOf(mesh: Mesh): Set<string> {
  return new Set(Object.values(mesh.virtualNodes).flatMap((node) => node.vaultAccess?.tenants ?? []));
}

async function createTable(
  client: DynamoDBClient,
  tableName: string,
  hash: string,
  range?: string,
): Promise<void> {
  const attributes = range === undefined ? [hash] : [hash, range];
  await client.send(
    new CreateTableCommand({
      TableName: tableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: attributes.map((name) => ({ AttributeName: name, AttributeType: 'S' })),
      KeySchema: attributes.map((name, index) => ({
        AttributeName: name,
        KeyType: index === 0 ? 'HASH' : 'RANGE',
      })),
    }),
  );
}

/** Both hierarchies, and what peers trust of them. */
export async function createHierarchies(
  aws: AwsClients,
  mesh: Mesh,
): Promise<Record<Hierarchy, CreatedHierarchy>> {
  const make = async (hierarchy: Hierarchy): Promise<CreatedHierarchy> => {
    const created = await createHierarchy(aws, { ...mesh.hierarchies[hierarchy], tags: [] });
    await aws.secretsManager.send(
      new CreateSecretCommand({
        Name: trustSecretName(mesh.name, hierarchy),
        SecretString: created.rootCertificate,
      }),
    );
    return created;
  };
  const [clients, servers] = await Promise.all([make('clients'), make('servers')]);
  return { clients, servers };
}

export type CertificateArns = Readonly<Record<CertificateRole, string>>;

export interface CertificateWish {
  readonly aws: AwsClients;
  readonly mesh: Mesh;
  readonly hierarchies: Record<Hierarchy, CreatedHierarchy>;
  /** Further names of the gateway's own certificate, for callers outside. */
  readonly gatewayNames: readonly string[];
  readonly logger: Logger;
}

/** A certificate for each role of each node, requested from ACM and brought to Secrets Manager by the exporter. */
export async function createCertificates(wish: CertificateWish): Promise<Record<string, CertificateArns>> {
  const { aws, mesh, logger } = wish;
  const exportCertificate = createHandler({ ...aws, meshName: mesh.name, clock: () => new Date(), logger });
  const make = async (node: string, role: CertificateRole): Promise<string> => {
    const certificateArn = await requestNodeCertificate(aws, {
      mesh: mesh.name,
      node,
      role,
      domainName: identityOf(mesh, node),
      alternativeNames: role === 'server' && node in mesh.virtualGateways ? wish.gatewayNames : [],
      subordinateArn: wish.hierarchies[hierarchyOf(role)].subordinateArn,
    });
    await exportCertificate({ certificateArn });
    return certificateArn;
  };
  const entries = await Promise.all(
    nodeNames(mesh).map(async (node): Promise<[string, CertificateArns]> => {
      const [client, server] = await Promise.all([make(node, 'client'), make(node, 'server')]);
      return [node, { client, server }];
    }),
  );
  return Object.fromEntries(entries);
}
