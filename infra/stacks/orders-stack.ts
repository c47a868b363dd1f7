import { CfnOutput, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import {
  CfnDBInstance,
  CfnDBParameterGroup,
  CfnDBSubnetGroup,
  MysqlEngineVersion,
} from 'aws-cdk-lib/aws-rds';
import { Trigger } from 'aws-cdk-lib/triggers';
import type { Construct } from 'constructs';
import { DATABASE_USERS } from '../../sample-apps/order-history/users.ts';
import type { OrderDatabase } from '../../sidecar/node-programs.ts';
import { viaService, type KeyArns } from '../access/node-rights.ts';
import { allow } from '../access/statements.ts';
import { functionLog, NodeFunction } from '../constructs/node-function.ts';
import type { Roles } from '../constructs/roles.ts';
import { SealedLog } from '../constructs/sealed-log.ts';
import { DATABASE_CLASSES } from '../sizes.ts';
import { CLOSED, ORDER_DATABASE_PORT, type NetworkStack } from './network-stack.ts';
import { RegionStack, type RegionProps } from './region-stack.ts';

export interface OrdersProps extends RegionProps {
  readonly keys: KeyArns;
  readonly roles: Roles;
  readonly network: NetworkStack;
}

/** The longest that RDS keeps: to any second within it the database can be put back. */
const BACKUP_DAYS = 35;

const DATABASE_NAME = 'orders';
const GIBIBYTES = 20;
const GIBIBYTES_AT_MOST = 2_000;
const LOGS = ['error', 'slowquery'];

/** Nobody signs in as this user but the migrations: the apps have users of their own, by IAM. */
const OWNER = 'migrations';

/** The database of the orders: private, over TLS alone, with tables and users before any app starts. */
export class OrdersStack extends RegionStack {
  readonly database: OrderDatabase;
  readonly instanceName: string;
  readonly migrations: NodeFunction;
  readonly #props: OrdersProps;

  constructor(scope: Construct, props: OrdersProps) {
    super(scope, 'orders', 'the database of the orders', props);
    this.#props = props;
    this.instanceName = `${this.mesh.name}-orders`;
    const logs = LOGS.map((name) => this.#log(name));
    const instance = this.#instance();
    for (const log of logs) instance.node.addDependency(log);
    this.database = {
      host: instance.attrEndpointAddress,
      port: ORDER_DATABASE_PORT,
      name: DATABASE_NAME,
    };
    this.#letConnect(instance);
    this.migrations = this.#migrate(instance);
    new CfnOutput(this, 'database-host', { value: this.database.host });
  }

  /** RDS makes them where they are not, under no key. */
  #log(name: string): SealedLog {
    return new SealedLog(this, `${name}-log`, {
      name: `/aws/rds/instance/${this.instanceName}/${name}`,
      days: this.deployment.logDays,
      keyArn: this.#props.keys.operations,
    });
  }

  #instance(): CfnDBInstance {
    const { keys, network } = this.#props;
    const isKept = this.deployment.data === 'keep';
    const instance = new CfnDBInstance(this, 'instance', {
      dbInstanceIdentifier: this.instanceName,
      engine: 'mysql',
      engineVersion: MysqlEngineVersion.VER_8_4_9.mysqlFullVersion,
      autoMinorVersionUpgrade: true,
      dbInstanceClass: DATABASE_CLASSES[this.deployment.size],
      storageType: 'gp3',
      allocatedStorage: String(GIBIBYTES),
      maxAllocatedStorage: GIBIBYTES_AT_MOST,
      storageEncrypted: true,
      kmsKeyId: keys.orders ?? missing('key'),
      multiAz: true,
      publiclyAccessible: false,
      dbSubnetGroupName: this.#subnets().ref,
      vpcSecurityGroups: [(network.databaseGroup ?? missing('security group')).securityGroupId],
      port: String(ORDER_DATABASE_PORT),
      dbName: DATABASE_NAME,
      dbParameterGroupName: this.#parameters().ref,
      enableIamDatabaseAuthentication: true,
      masterUsername: OWNER,
      // RDS makes the password, keeps it in a secret, and changes it each week.
      manageMasterUserPassword: true,
      masterUserSecret: { kmsKeyId: keys.secrets },
      backupRetentionPeriod: BACKUP_DAYS,
      copyTagsToSnapshot: true,
      deleteAutomatedBackups: !isKept,
      deletionProtection: isKept,
      enableCloudwatchLogsExports: LOGS,
    });
    instance.applyRemovalPolicy(isKept ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY);
    return instance;
  }

  #subnets(): CfnDBSubnetGroup {
    return new CfnDBSubnetGroup(this, 'subnets', {
      dbSubnetGroupDescription: `${this.mesh.name}: subnets with no way out`,
      subnetIds: this.#props.network.vpc.selectSubnets({ subnetGroupName: CLOSED }).subnetIds,
    });
  }

  #parameters(): CfnDBParameterGroup {
    return new CfnDBParameterGroup(this, 'parameters', {
      family: 'mysql8.4',
      description: `${this.mesh.name}: no connection without TLS`,
      parameters: {
        require_secure_transport: 'ON',
        tls_version: 'TLSv1.2,TLSv1.3',
        log_output: 'FILE',
        slow_query_log: '1',
        long_query_time: '1',
      },
    });
  }

  /** Each app as its own user, which the grants of the migrations are for. */
  #letConnect(instance: CfnDBInstance): void {
    for (const [node, user] of Object.entries(DATABASE_USERS)) {
      const role = this.#props.roles.tasks[node] ?? missing(`role of ${node}`);
      const target = `arn:${this.partition}:rds-db:${this.region}:${this.account}:dbuser:${instance.attrDbiResourceId}/${user}`;
      new ManagedPolicy(this, `${node}-connects`, {
        roles: [role],
        statements: [allow('ConnectAsOwnUser', ['rds-db:connect'], [target])],
      });
    }
  }

  /** The deployment waits for it, and fails with it. */
  #migrate(instance: CfnDBInstance): NodeFunction {
    const { keys, roles, network } = this.#props;
    const role = roles.functions.migrations ?? missing('role of the migrations');
    const group = network.functionGroups['migrations'] ?? missing('group of the migrations');
    const secretArn = instance.attrMasterUserSecretSecretArn;
    const rights = new ManagedPolicy(this, 'migrations-own', {
      roles: [role],
      statements: [
        allow('ReadOwner', ['secretsmanager:GetSecretValue'], [secretArn]),
        allow('OpenOwner', ['kms:Decrypt'], [keys.secrets], viaService(this, 'secretsmanager')),
      ],
    });
    const handler = new NodeFunction(this, 'migrations', {
      name: 'migrations',
      entry: 'sample-apps/order-history/migrate-handler.ts',
      folder: 'sample-apps/order-history/migrations',
      description: 'makes the tables of the orders, and a user for each app',
      role: role.withoutPolicyUpdates(),
      timeout: Duration.minutes(5),
      environment: {
        ORDER_DB_HOST: this.database.host,
        ORDER_DB_PORT: String(this.database.port),
        ORDER_DB_NAME: this.database.name,
        ORDER_DB_OWNER_SECRET_ARN: secretArn,
      },
      logGroup: functionLog(this, 'migrations', keys.operations),
      network: {
        vpc: network.vpc,
        vpcSubnets: { subnetGroupName: CLOSED },
        securityGroups: [
          SecurityGroup.fromSecurityGroupId(this, 'migrations-group', group.securityGroupId, {
            mutable: false,
          }),
        ],
      },
    });
    new Trigger(this, 'migrate', {
      handler,
      timeout: Duration.minutes(5),
      executeAfter: [instance, rights],
      executeOnHandlerChange: true,
    });
    return handler;
  }
}

function missing(what: string): never {
  throw new Error(`expected a ${what} of the orders' database`);
}
