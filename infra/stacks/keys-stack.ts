import { CfnOutput } from 'aws-cdk-lib';
import type { PolicyDocument } from 'aws-cdk-lib/aws-iam';
import { CfnAlias, CfnKey, CfnReplicaKey, type CfnKeyProps } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { KeyArns } from '../access/node-rights.ts';
import {
  auditKeyPolicy,
  bulkKeyPolicy,
  markKeyPolicy,
  operationsKeyPolicy,
  storeKeyPolicy,
  vaultKeyPolicy,
  type KeyUsers,
} from '../constructs/key-policies.ts';
import { Roles } from '../constructs/roles.ts';
import { RegionStack, type RegionProps } from './region-stack.ts';

export interface KeysProps extends RegionProps {
  /** In a further region: the keys that these are replicas of. */
  readonly primary?: KeyArns;
}

/** The longest that KMS keeps a key that somebody deletes by mistake. */
const PENDING_DAYS = 30;

/** The KMS keys, and the roles that their policies name. */
export class KeysStack extends RegionStack {
  readonly keys: KeyArns;
  readonly roles: Roles;
  readonly #primary: KeyArns | undefined;

  constructor(scope: Construct, props: KeysProps) {
    super(scope, 'keys', 'KMS keys and roles', props);
    this.#primary = props.primary;
    this.roles = new Roles(this, this.mesh, this.deployment);
    const users: KeyUsers = {
      administrator: this.roles.operators['key-administrator'],
      tokenizer: this.roles.tasks['tokenizer'] ?? missing('tokenizer'),
      makers: [this.roles.functions['tenant-keys'], this.roles.operators['vault-keys']],
      auditor: this.roles.operators.auditor,
      bulk: this.roles.functions.bulk,
      loader: this.roles.operators.loader,
    };
    this.keys = {
      vault: this.#shared(
        'vault',
        'wraps the branch keys of the vault',
        vaultKeyPolicy(users),
        {
          origin: this.deployment.keyOrigin,
          ...(this.deployment.keyOrigin === 'EXTERNAL' ? {} : { enableKeyRotation: true }),
        },
        this.#primary?.vault,
      ),
      audit: this.#shared(
        'audit',
        'seals the audit',
        auditKeyPolicy(users),
        { keySpec: 'HMAC_256', keyUsage: 'GENERATE_VERIFY_MAC' },
        this.#primary?.audit,
      ),
      tables: this.#own('tables', 'encrypts the tables', storeKeyPolicy(this, users, 'dynamodb')),
      secrets: this.#own(
        'secrets',
        'encrypts the secrets',
        storeKeyPolicy(this, users, ...this.#keepersOfSecrets()),
      ),
      operations: this.#own(
        'operations',
        'encrypts logs, alarms and queues',
        operationsKeyPolicy(this, users),
      ),
      bulk: this.#own('bulk', 'seals what is tokenized in bulk', bulkKeyPolicy(this, users)),
      ...(this.deployment.orderStore === 'mysql'
        ? {
            orders: this.#own(
              'orders',
              'encrypts the database of the orders',
              storeKeyPolicy(this, users, 'rds'),
            ),
          }
        : {}),
      marks: this.deployment.edgeKeys.map((name) => this.#mark(name, users)),
    };
    this.roles.grantRights(this.keys);
    for (const [name, role] of Object.entries(this.roles.operators)) {
      new CfnOutput(this, `${name}-role`, { value: role.roleArn });
    }
    new CfnOutput(this, 'vault-key-arn', { value: this.keys.vault });
    new CfnOutput(this, 'audit-key-arn', { value: this.keys.audit });
    new CfnOutput(this, 'bulk-key-arn', { value: this.keys.bulk });
  }

  /** RDS keeps the password of a database's owner in a secret, and seals it in the name of who makes the database. */
  #keepersOfSecrets(): string[] {
    return this.deployment.orderStore === 'mysql' ? ['secretsmanager', 'rds'] : ['secretsmanager'];
  }

  /** One for each name. KMS turns no asymmetric key by itself: a new one stands beside the old. */
  #mark(name: string, users: KeyUsers): string {
    const spec = { keySpec: 'RSA_3072', keyUsage: 'ENCRYPT_DECRYPT' };
    const purpose = `opens what was encrypted at the edge (${name})`;
    const index = this.deployment.edgeKeys.indexOf(name);
    return this.#shared(`edge-${name}`, purpose, markKeyPolicy(users), spec, this.#primary?.marks[index]);
  }

  /** One key in all regions: what one sealed another opens. */
  #shared(
    name: string,
    purpose: string,
    keyPolicy: PolicyDocument,
    spec: CfnKeyProps,
    primaryKeyArn: string | undefined,
  ): string {
    const description = `${this.mesh.name}: ${purpose}`;
    const key =
      primaryKeyArn === undefined
        ? new CfnKey(this, `${name}-key`, {
            description,
            keyPolicy,
            multiRegion: this.deployment.multiRegion,
            pendingWindowInDays: PENDING_DAYS,
            ...spec,
          })
        : new CfnReplicaKey(this, `${name}-key`, {
            description,
            keyPolicy,
            primaryKeyArn,
            pendingWindowInDays: PENDING_DAYS,
          });
    return this.#named(name, key);
  }

  #own(name: string, purpose: string, keyPolicy: PolicyDocument): string {
    const key = new CfnKey(this, `${name}-key`, {
      description: `${this.mesh.name}: ${purpose}`,
      keyPolicy,
      enableKeyRotation: true,
      pendingWindowInDays: PENDING_DAYS,
    });
    return this.#named(name, key);
  }

  #named(name: string, key: CfnKey | CfnReplicaKey): string {
    key.applyRemovalPolicy(this.removalPolicy);
    new CfnAlias(this, `${name}-alias`, {
      aliasName: `alias/${this.mesh.name}-${name}`,
      targetKeyId: key.attrKeyId,
    });
    return key.attrArn;
  }
}

function missing(node: string): never {
  throw new Error(`expected the mesh to have a node "${node}"`);
}
