import { describe, expect, it } from '@jest/globals';
import { TABLES } from '../../sidecar/tables.ts';
import { DATABASE_USERS } from '../../sample-apps/order-history/users.ts';
import { Settings } from '../../sample-apps/environment.ts';
import { readOrderStore } from '../../sample-apps/order-store.ts';
import { ACCOUNT, REGION, synthesize, type Resource } from '../support/synthesized.ts';

const made = synthesize({ orderStore: 'mysql' });

const instance = made.one('AWS::RDS::DBInstance', () => true);

const appOf = (node: string) => {
  const task = made.one(
    'AWS::ECS::TaskDefinition',
    ({ properties }) => properties.Family === `tokenmesh-${node}`,
  );
  const app = task.properties.ContainerDefinitions.find(({ Name }: { Name: string }) => Name === 'app');
  return Object.fromEntries(
    app.Environment.map((each: { Name: string; Value: string }) => [each.Name, each.Value]),
  ) as Record<string, string>;
};

/** Of the apps, with the name that RDS would give. */
const APPS = Object.entries(DATABASE_USERS);

describe("the orders' database", () => {
  it('is private, in two zones, under a key of the customer, and not to be deleted by mistake', () => {
    expect(instance.properties).toMatchObject({
      PubliclyAccessible: false,
      MultiAZ: true,
      StorageEncrypted: true,
      KmsKeyId: expect.stringMatching(/:key\/orderskey$/),
      DeletionProtection: true,
      BackupRetentionPeriod: 35,
      DeleteAutomatedBackups: false,
    });
    expect(instance.deletionPolicy).toBe('Retain');
    const subnets = made.one('AWS::RDS::DBSubnetGroup', () => true).properties.SubnetIds;
    expect(subnets).toHaveLength(2);
    expect(subnets.join()).toMatch(/^vpcclosed.*,.*vpcclosed/);
  });

  it('takes nobody without TLS, and its apps by IAM', () => {
    expect(made.one('AWS::RDS::DBParameterGroup', () => true).properties.Parameters).toMatchObject({
      require_secure_transport: 'ON',
      tls_version: 'TLSv1.2,TLSv1.3',
    });
    expect(instance.properties.EnableIAMDatabaseAuthentication).toBe(true);
  });

  it('has a password that nobody has written down', () => {
    expect(instance.properties.ManageMasterUserPassword).toBe(true);
    expect(instance.properties.MasterUserPassword).toBeUndefined();
    expect(instance.properties.MasterUserSecret.KmsKeyId).toMatch(/:key\/secretskey$/);
  });

  it('lets its two apps and the migrations connect, and nobody else', () => {
    const group = made.one('AWS::EC2::SecurityGroup', ({ id }) => /^databasegroup[0-9A-F]{8}$/.test(id));
    expect(instance.properties.VPCSecurityGroups).toEqual([`${group.id}.GroupId`]);
    expect(group.properties.SecurityGroupIngress).toBeUndefined();
    const callers = made
      .ofType('AWS::EC2::SecurityGroupIngress')
      .filter(({ properties }) => properties.GroupId === `${group.id}.GroupId`)
      .map(({ properties }) => {
        const caller = String(properties.SourceSecurityGroupId).replace(/group[0-9A-F]{8}\.GroupId$/, '');
        return `${caller} ${properties.FromPort}`;
      });
    expect(callers.toSorted()).toEqual(['migrations 3306', 'order 3306', 'paybill 3306']);
  });

  it('goes with its stack only where the data is said to be of no value', () => {
    const discarded = synthesize({ orderStore: 'mysql', data: 'discard' });
    const found = discarded.one('AWS::RDS::DBInstance', () => true);
    expect(found.deletionPolicy).toBe('Delete');
    expect(found.properties.DeletionProtection).toBe(false);
  });

  it('writes logs that were made beforehand, under a key of the customer', () => {
    const exported = instance.properties.EnableCloudwatchLogsExports as string[];
    const logs = made.ofType('AWS::Logs::LogGroup').map(({ properties }) => properties.LogGroupName);
    expect(exported.length).toBeGreaterThan(0);
    for (const name of exported) expect(logs).toContain(`/aws/rds/instance/tokenmesh-orders/${name}`);
  });
});

describe('the apps whose orders are in it', () => {
  it.each(APPS)('%s is told of it, and signs in as a user of its own', (node, user) => {
    const settings = new Settings(appOf(node));
    const store = readOrderStore(settings);
    // What RDS names is not known yet: all else has to be as the app takes it.
    expect(() => settings.check()).toThrow(
      /^ORDER_DB_HOST: expected a host name, got a text of \d+ characters$/,
    );
    expect(store).toMatchObject({
      kind: 'mysql',
      database: {
        host: `${instance.id}.Endpoint.Address`,
        port: 3306,
        database: 'orders',
        user,
        auth: { kind: 'iam' },
      },
    });
  });

  it.each(APPS)('%s may connect as that user, and touches no table of DynamoDB', (node, user) => {
    const role = made.one('AWS::IAM::Role', ({ id }) => new RegExp(`^Roles${node}[0-9A-F]{8}$`).test(id));
    const arn = `arn:aws:iam::${ACCOUNT}:role/${role.id}`;
    const statements = made
      .ofType('AWS::IAM::ManagedPolicy')
      .filter(({ properties }) => (properties.Roles ?? []).includes(arn))
      .flatMap(({ properties }) => properties.PolicyDocument.Statement);
    const connects = statements.filter(({ Action }: { Action: string }) => Action === 'rds-db:connect');
    expect(connects.map(({ Resource: target }: { Resource: string }) => target)).toEqual([
      `arn:aws:rds-db:${REGION}:${ACCOUNT}:dbuser:${instance.id}.DbiResourceId/${user}`,
    ]);
    expect(JSON.stringify(statements)).not.toContain('dynamodb:');
  });

  it('are the only ones who are told, and the table of the orders is not made', () => {
    expect(appOf('tokenizer')['ORDER_STORE']).toBeUndefined();
    const tables = made
      .ofType('AWS::DynamoDB::GlobalTable')
      .map(({ properties }) => String(properties.TableName));
    expect(tables.toSorted()).toEqual(
      Object.values(TABLES)
        .filter((name) => name !== TABLES.orders)
        .toSorted(),
    );
  });

  it('start after the migrations, which own the database and are its only reader of a password', () => {
    const inStack = ({ stack }: Resource): boolean => stack.includes('-orders-');
    const trigger = made.one('Custom::Trigger', inStack);
    expect(trigger.properties.InvocationType).toBe('RequestResponse');
    const rights = made.one('AWS::IAM::ManagedPolicy', ({ id }) => id.startsWith('migrationsown'));
    expect(rights.properties.PolicyDocument.Statement[0]).toMatchObject({
      Action: 'secretsmanager:GetSecretValue',
      Resource: `${instance.id}.MasterUserSecret.SecretArn`,
    });
    const raw = made.templates.get(`tokenmesh-orders-${REGION}`)?.Resources[trigger.id];
    expect([raw?.DependsOn].flat()).toEqual(expect.arrayContaining([instance.id, rights.id]));
    const services = made.templates.get(`tokenmesh-services-${REGION}`);
    expect(JSON.stringify(services)).toContain('tokenmesh-orders-us-east-1:');
  });
});

describe('a deployment that keeps its orders in the table', () => {
  const plain = synthesize();

  it('has no database, no key and no function of one', () => {
    expect(plain.ofType('AWS::RDS::DBInstance')).toEqual([]);
    expect(plain.ofType('AWS::KMS::Key').map(({ id }) => id)).not.toContain('orderskey');
    expect(plain.ofType('AWS::IAM::Role').filter(({ id }) => id.includes('migrations'))).toEqual([]);
  });
});
