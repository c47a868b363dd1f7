/**
 * What the CDK makes on AWS, made in an empty emulated account: the same resources under the same names.
 *
 * @module
 */

import { CreateTableCommand, UpdateTimeToLiveCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateAliasCommand, CreateKeyCommand, ReplicateKeyCommand } from '@aws-sdk/client-kms';
import { request } from 'undici';
import { CreateEventBusCommand } from '@aws-sdk/client-eventbridge';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { TokenmeshError } from '../../errors/error.ts';
import { createHandler } from '../../cert-exporter/handler.ts';
import type { CertificateRole, Hierarchy, Mesh } from '../../mesh/definition.ts';
import { certificateSourceOf, hasShortLived } from '../../mesh/certificate-source.ts';
import { hierarchyOf, identityOf, nodeNames } from '../../mesh/identity.ts';
import type { AwsClients } from '../../operator/aws-clients.ts';
import { authorityTags } from '../../pki/authority-tags.ts';
import {
  authoritiesSecretName,
  crlPlaceOf,
  denyListSecretName,
  EMPTY_DENY_LIST,
  type ListingAuthorities,
  type ListingAuthority,
} from '../../pki/revocation.ts';
import { importMaterial } from '../../operator/key-import.ts';
import { trustSecretName } from '../../pki/secret.ts';
import { createQuietLogger, type Logger } from '../../runtime/log.ts';
import {
  EXPIRING_TABLES,
  EXPIRY_ATTRIBUTE,
  TABLE_KEYS,
  TABLES,
  type TableRole,
} from '../../sidecar/tables.ts';
import { makeTenantKeys } from '../../sidecar/tokenizer/tenant-keys-handler.ts';
import type { Sensitive } from '../../pki/sensitive.ts';
import { tokensTable } from '../../sidecar/tokenizer/adapters/dynamodb-sweep-store.ts';
import {
  createHierarchy,
  createShortLivedAuthority,
  requestNodeCertificate,
  type CreatedHierarchy,
} from '../../operator/ca/private-ca.ts';

export { TABLES };

export interface VaultResources {
  readonly vaultKeyArn: string;
  readonly auditKeyArn: string;
  /** Of the key that values are encrypted under at the edge. */
  readonly markKeyArn: string;
}

/** A multi-region key, and who may replicate it. */
export interface PrimaryKey {
  readonly kms: AwsClients['kms'];
  readonly keyArn: string;
}

export interface VaultKeyWish {
  /** The key material. */
  readonly material?: Sensitive<Uint8Array> | undefined;
  /** Whether it can have replicas in other regions. */
  readonly isMultiRegion?: boolean;
  /** The key of another region that this one's is to be the replica of. */
  readonly replicaOf?: PrimaryKey | undefined;
}

/**
 * The keys and the tables of the vault and its audit, and the branch key of every tenant.
 *
 * @param vaultKey - What the vault's key is made of; KMS makes one for this region alone unless it is given.
 */
export async function createVaultResources(
  aws: AwsClients,
  mesh: Mesh,
  vaultKey: VaultKeyWish = {},
): Promise<VaultResources> {
  const vaultKeyArn = await createVaultKey(aws.kms, vaultKey);
  await Promise.all([
    aws.kms.send(new CreateAliasCommand({ AliasName: 'alias/tokenmesh-vault', TargetKeyId: vaultKeyArn })),
    aws.dynamodb.send(new CreateTableCommand(tokensTable(TABLES.tokens))),
    ...(['keys', 'orders', 'audit', 'fingerprints'] as const).map((role) => createTable(aws.dynamodb, role)),
  ]);
  for (const role of EXPIRING_TABLES) {
    await aws.dynamodb.send(
      new UpdateTimeToLiveCommand({
        TableName: TABLES[role],
        TimeToLiveSpecification: { AttributeName: EXPIRY_ATTRIBUTE, Enabled: true },
      }),
    );
  }
  const location = { ...aws, keysTableName: TABLES.keys, kmsKeyArn: vaultKeyArn };
  // Where the key is a replica, the keys of the tenants come with the rows of the first region.
  if (vaultKey.replicaOf === undefined)
    await makeTenantKeys(location, mesh, createQuietLogger('tenant-keys'));
  const [auditKeyArn, markKeyArn] = await Promise.all([createAuditKey(aws.kms), createMarkKey(aws.kms)]);
  return { vaultKeyArn, auditKeyArn, markKeyArn };
}

/** The bus that the tokenizer tells what becomes of tokens. */
export async function createEventBus({ events }: AwsClients, Name: string): Promise<void> {
  await events.send(new CreateEventBusCommand({ Name }));
}

async function createVaultKey(
  kms: AwsClients['kms'],
  { material, isMultiRegion, replicaOf }: VaultKeyWish,
): Promise<string> {
  const vaultKeyArn =
    replicaOf === undefined
      ? await createOwnKey(kms, material !== undefined, isMultiRegion)
      : await replicate(replicaOf, await kms.config.region());
  if (material !== undefined) await importMaterial(kms, vaultKeyArn, material);
  return vaultKeyArn;
}

async function createOwnKey(
  kms: AwsClients['kms'],
  isExternal: boolean,
  isMultiRegion: boolean | undefined,
): Promise<string> {
  const external = { Origin: 'EXTERNAL', MultiRegion: true } as const;
  const created = await kms.send(
    new CreateKeyCommand({
      Description: 'wraps the branch keys of the vault',
      ...(isMultiRegion === true ? { MultiRegion: true } : {}),
      ...(isExternal ? external : {}),
    }),
  );
  return created.KeyMetadata?.Arn ?? '';
}

async function replicate({ kms, keyArn }: PrimaryKey, region: string): Promise<string> {
  const { ReplicaKeyMetadata } = await kms.send(
    new ReplicateKeyCommand({ KeyId: keyArn, ReplicaRegion: region }),
  );
  return ReplicaKeyMetadata?.Arn ?? '';
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

/** Its public half is at the edge. Of 3072 bits: what is encrypted today is kept for years (NIST SP 800-57 part 1). */
export async function createMarkKey(kms: AwsClients['kms']): Promise<string> {
  const created = await kms.send(
    new CreateKeyCommand({
      Description: 'opens what was encrypted at the edge',
      KeySpec: 'RSA_3072',
      KeyUsage: 'ENCRYPT_DECRYPT',
    }),
  );
  const markKeyArn = created.KeyMetadata?.Arn ?? '';
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/tokenmesh-edge', TargetKeyId: markKeyArn }));
  return markKeyArn;
}

async function createTable(client: DynamoDBClient, role: TableRole): Promise<void> {
  const { hash, range } = TABLE_KEYS[role];
  const attributes = range === undefined ? [hash] : [hash, range];
  await client.send(
    new CreateTableCommand({
      TableName: TABLES[role],
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: attributes.map((name) => ({ AttributeName: name, AttributeType: 'S' })),
      KeySchema: attributes.map((name, index) => ({
        AttributeName: name,
        KeyType: index === 0 ? 'HASH' : 'RANGE',
      })),
    }),
  );
}

/** Where the CAs of a local run write their revocation lists. The names of buckets are one space for all regions. */
async function crlBucketOf({ acmPca }: Pick<AwsClients, 'acmPca'>): Promise<string> {
  return `tokenmesh-crls-${await acmPca.config.region()}`;
}

/** Both hierarchies, what peers trust of them, and where their revocation lists are. */
export async function createHierarchies(
  aws: AwsClients,
  mesh: Mesh,
): Promise<Record<Hierarchy, CreatedHierarchy>> {
  const crlBucket = await crlBucketOf(aws);
  await createBucket(aws, crlBucket);
  const make = async (hierarchy: Hierarchy): Promise<CreatedHierarchy> => {
    const created = await createHierarchy(aws, {
      ...mesh.hierarchies[hierarchy],
      tags: authorityTags({ mesh: mesh.name, hierarchy, generation: 1 }),
      crlBucket,
    });
    await aws.secretsManager.send(
      new CreateSecretCommand({
        Name: trustSecretName(mesh.name, hierarchy),
        SecretString: created.rootCertificate,
      }),
    );
    if (!hasShortLived(mesh)) return created;
    const { subordinateCommonName, subordinateValidityDays } = mesh.hierarchies[hierarchy];
    const shortLived = await createShortLivedAuthority(aws.acmPca, {
      commonName: `${subordinateCommonName} short-lived`,
      validityDays: subordinateValidityDays,
      crlBucket,
      ...created,
    });
    return { ...created, shortLived };
  };
  const [clients, servers] = await Promise.all([make('clients'), make('servers')]);
  await createRevocationSecrets(aws, mesh.name, crlBucket, { clients, servers });
  return { clients, servers };
}

async function createRevocationSecrets(
  { secretsManager }: AwsClients,
  meshName: string,
  crlBucket: string,
  created: Record<Hierarchy, CreatedHierarchy>,
): Promise<void> {
  const authorities: ListingAuthorities = {
    clients: listingAuthorities(created.clients, crlBucket),
    servers: listingAuthorities(created.servers, crlBucket),
  };
  const secrets = [
    [authoritiesSecretName(meshName), authorities],
    [denyListSecretName(meshName), EMPTY_DENY_LIST],
  ] as const;
  for (const [Name, value] of secrets) {
    await secretsManager.send(new CreateSecretCommand({ Name, SecretString: JSON.stringify(value) }));
  }
}

/** What a sidecar must know of a hierarchy's CAs before it trusts them. */
export function listingAuthorities(created: CreatedHierarchy, crlBucket: string): ListingAuthority[] {
  const { shortLived } = created;
  return [
    { certificate: created.rootCertificate, crl: crlPlaceOf(crlBucket, created.rootArn) },
    { certificate: created.subordinateCertificate, crl: crlPlaceOf(crlBucket, created.subordinateArn) },
    ...(shortLived === undefined
      ? []
      : [{ certificate: shortLived.certificate, crl: crlPlaceOf(crlBucket, shortLived.arn) }]),
  ];
}

/** With one plain PUT: of S3 nothing else is wanted, and an emulator asks for no signature. */
async function createBucket({ secretsManager }: AwsClients, bucket: string): Promise<void> {
  const endpoint = await secretsManager.config.endpoint?.();
  if (endpoint === undefined) throw new Error('expected clients of an emulator');
  const port = endpoint.port === undefined ? '' : `:${endpoint.port}`;
  const url = `${endpoint.protocol}//${endpoint.hostname}${port}/${bucket}`;
  const { statusCode, body } = await request(url, { method: 'PUT' });
  await body.dump();
  if (statusCode !== 200) throw bucketNotMade(bucket, statusCode);
}

function bucketNotMade(bucket: string, status: number): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_CRL_BUCKET_NOT_MADE',
    message: `bucket ${bucket} was not made: expected S3 to answer 200, got ${status}`,
    remedy: 'see whether what answers at AWS_ENDPOINT_URL has S3 and no such bucket of another owner',
  });
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

/**
 * A certificate for each role of each node that does not issue its own, and for each function, requested from ACM and brought
 * to Secrets Manager by the exporter.
 */
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
    nodeNames(mesh)
      .filter((node) => certificateSourceOf(mesh, node).kind === 'acm-export')
      .map(async (node): Promise<[string, CertificateArns]> => {
        const [client, server] = await Promise.all([make(node, 'client'), make(node, 'server')]);
        return [node, { client, server }];
      }),
  );
  // A function calls and is not called.
  await Promise.all(Object.keys(mesh.functions).map((name) => make(name, 'client')));
  return Object.fromEntries(entries);
}
