import { CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  AttributeType,
  Billing,
  ProjectionType,
  TableEncryptionV2,
  TableV2,
  type Attribute,
  type GlobalSecondaryIndexPropsV2,
} from 'aws-cdk-lib/aws-dynamodb';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Trigger } from 'aws-cdk-lib/triggers';
import type { Construct } from 'constructs';
import { tokensTable } from '../../sidecar/tokenizer/adapters/dynamodb-sweep-store.ts';
import {
  EXPIRING_TABLES,
  EXPIRY_ATTRIBUTE,
  REPLICATED_TABLES,
  TABLE_KEYS,
  TABLES,
  type TableRole,
} from '../../sidecar/tables.ts';
import type { KeyArns } from '../access/node-rights.ts';
import { functionLog, NodeFunction } from '../constructs/node-function.ts';
import type { Roles } from '../constructs/roles.ts';
import { deployedTables } from '../nodes.ts';
import { RegionStack, type RegionProps } from './region-stack.ts';

export interface VaultProps extends RegionProps {
  readonly keys: KeyArns;
  readonly roles: Roles;
}

/** The longest that DynamoDB keeps: what was deleted can be put back that long. */
const RECOVERY_DAYS = 35;

/**
 * The tables. Those that regions share are made in the first, with the keys of the tenants in them and a replica
 * in each further region; the others are each region's own.
 */
export class VaultStack extends RegionStack {
  constructor(scope: Construct, props: VaultProps) {
    super(scope, 'vault', 'tables', props);
    const tableKey = Key.fromKeyArn(this, 'tables-key', props.keys.tables);
    const roles = deployedTables(this.deployment).filter((role) => this.isPrimary || !isShared(role));
    const tables = roles.map((role) => this.#table(role, tableKey));
    if (this.isPrimary) this.#tenantKeys(props, tables);
  }

  /** A key without material wraps nothing: then the function waits for a person, once it has some. */
  #tenantKeys({ keys, roles }: VaultProps, tables: readonly TableV2[]): void {
    const handler = new NodeFunction(this, 'tenant-keys', {
      name: 'tenant-keys',
      entry: 'sidecar/tokenizer/tenant-keys-handler.ts',
      description: 'makes the keys of every tenant that has none',
      role: roles.functions['tenant-keys'].withoutPolicyUpdates(),
      timeout: Duration.minutes(2),
      environment: { TOKENMESH_KMS_KEY_ARN: keys.vault },
      logGroup: functionLog(this, 'tenant-keys', keys.operations),
    });
    new CfnOutput(this, 'tenant-keys-function', { value: handler.functionName });
    if (this.deployment.keyOrigin === 'EXTERNAL') return;
    new Trigger(this, 'make-tenant-keys', {
      handler,
      timeout: Duration.minutes(2),
      executeAfter: [...tables],
    });
  }

  #table(role: TableRole, tableKey: ReturnType<typeof Key.fromKeyArn>): TableV2 {
    const { hash, range } = TABLE_KEYS[role];
    const replicas = isShared(role) ? this.deployment.regions.slice(1) : [];
    const isKept = this.deployment.data === 'keep';
    return new TableV2(this, role, {
      tableName: TABLES[role],
      partitionKey: text(hash),
      ...(range === undefined ? {} : { sortKey: text(range) }),
      billing: Billing.onDemand(),
      encryption: TableEncryptionV2.customerManagedKey(tableKey, this.#replicaKeys(replicas)),
      ...(EXPIRING_TABLES.includes(role) ? { timeToLiveAttribute: EXPIRY_ATTRIBUTE } : {}),
      ...(role === 'tokens' ? { globalSecondaryIndexes: indexes() } : {}),
      replicas: replicas.map((region) => ({ region })),
      pointInTimeRecoverySpecification: {
        pointInTimeRecoveryEnabled: true,
        recoveryPeriodInDays: RECOVERY_DAYS,
      },
      deletionProtection: isKept,
      removalPolicy: isKept ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
  }

  /** By alias: each region's keys stack gives its own key that name. */
  #replicaKeys(regions: readonly string[]): Record<string, string> {
    const { partition, account } = Stack.of(this);
    return Object.fromEntries(
      regions.map((region) => [
        region,
        `arn:${partition}:kms:${region}:${account}:alias/${this.mesh.name}-tables`,
      ]),
    );
  }
}

function isShared(role: TableRole): boolean {
  return REPLICATED_TABLES.includes(role);
}

function text(name: string): Attribute {
  return { name, type: AttributeType.STRING };
}

/** As the sweeper's adapter declares them. */
function indexes(): GlobalSecondaryIndexPropsV2[] {
  const { GlobalSecondaryIndexes = [], AttributeDefinitions = [] } = tokensTable(TABLES.tokens);
  const attribute = (name: string | undefined): Attribute => {
    const found = AttributeDefinitions.find((each) => each.AttributeName === name);
    return {
      name: name ?? '',
      type: found?.AttributeType === 'N' ? AttributeType.NUMBER : AttributeType.STRING,
    };
  };
  return GlobalSecondaryIndexes.map(({ IndexName, KeySchema = [] }) => ({
    indexName: IndexName ?? '',
    partitionKey: attribute(KeySchema[0]?.AttributeName),
    sortKey: attribute(KeySchema[1]?.AttributeName),
    projectionType: ProjectionType.KEYS_ONLY,
  }));
}
