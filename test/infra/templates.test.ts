import { describe, expect, it } from '@jest/globals';
import { edgesOf, memberOf } from '../../mesh/edges.ts';
import { identityOf, nodeNames } from '../../mesh/identity.ts';
import { tokenizationMesh as mesh } from '../../mesh/tokenization-mesh.ts';
import { parseAuthorities, parseDenyList } from '../../pki/revocation.ts';
import { tokensTable } from '../../sidecar/tokenizer/adapters/dynamodb-sweep-store.ts';
import { REGION_CODES } from '../../sidecar/tokenizer/core/formats/region-codes.ts';
import { REPLICATED_TABLES, TABLE_KEYS, TABLES, type TableRole } from '../../sidecar/tables.ts';
import { withOpenGateway } from '../support/meshes.ts';
import { ACCOUNT, REGION, synthesize, type Resource } from '../support/synthesized.ts';

const whole = synthesize({ domain: 'pay.example.com', hostedZoneId: 'Z0123456789ABC', outsider: 'true' });
const plain = synthesize();

const NODES = nodeNames(mesh);

describe('the tables', () => {
  it.each(Object.entries(TABLES) as [TableRole, string][])(
    'keep %s under a key of the customer, recoverable for 35 days, and not to be deleted by mistake',
    (role, name) => {
      const found = whole.one(
        'AWS::DynamoDB::GlobalTable',
        ({ properties }) => properties.TableName === name,
      );
      const { hash, range } = TABLE_KEYS[role];
      expect(found.deletionPolicy).toBe('Retain');
      expect(found.properties.KeySchema).toEqual([
        { AttributeName: hash, KeyType: 'HASH' },
        ...(range === undefined ? [] : [{ AttributeName: range, KeyType: 'RANGE' }]),
      ]);
      expect(found.properties.SSESpecification).toEqual({ SSEEnabled: true, SSEType: 'KMS' });
      expect(found.properties.BillingMode).toBe('PAY_PER_REQUEST');
      expect(found.properties.Replicas).toEqual([
        expect.objectContaining({
          Region: REGION,
          DeletionProtectionEnabled: true,
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 35 },
          SSESpecification: { KMSMasterKeyId: expect.stringMatching(/:key\/tableskey$/) },
        }),
      ]);
    },
  );

  it("have the sweeper's index, and an expiry where rows expire", () => {
    const [index] = tokensTable(TABLES.tokens).GlobalSecondaryIndexes ?? [];
    const tables = whole.ofType('AWS::DynamoDB::GlobalTable');
    const tokens = tables.find(({ properties }) => properties.TableName === TABLES.tokens);
    expect(tokens?.properties.GlobalSecondaryIndexes).toEqual([
      { IndexName: index?.IndexName, KeySchema: index?.KeySchema, Projection: index?.Projection },
    ]);
    const expiring = tables.filter(({ properties }) => properties.TimeToLiveSpecification !== undefined);
    expect(expiring.map(({ properties }) => String(properties.TableName)).toSorted()).toEqual([
      TABLES.fingerprints,
      TABLES.tokens,
    ]);
    for (const { properties } of expiring) {
      expect(properties.TimeToLiveSpecification).toEqual({ AttributeName: 'expiresAt', Enabled: true });
    }
  });

  it('go with their stack only where the data is said to be of no value', () => {
    const discarded = synthesize({ data: 'discard' });
    for (const { properties, deletionPolicy } of discarded.ofType('AWS::DynamoDB::GlobalTable')) {
      expect(deletionPolicy).toBe('Delete');
      expect(properties.Replicas[0].DeletionProtectionEnabled).toBe(false);
    }
    expect(discarded.ofType('AWS::KMS::Key').map(({ deletionPolicy }) => deletionPolicy)).not.toContain(
      'Retain',
    );
  });
});

describe('the keys', () => {
  const keyOf = (name: string, of = whole): Resource =>
    of.one('AWS::KMS::Key', ({ id }) => id === `${name}key`);

  it('turn every year, but for the one that makes MACs, which cannot', () => {
    const still = whole
      .ofType('AWS::KMS::Key')
      .filter(({ properties }) => properties.EnableKeyRotation !== true);
    expect(still.map(({ id }) => id)).toEqual(['auditkey']);
    expect(keyOf('audit').properties).toMatchObject({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
  });

  it('are kept when their stack goes, and thirty days after somebody deletes them', () => {
    for (const { deletionPolicy, properties } of whole.ofType('AWS::KMS::Key')) {
      expect(deletionPolicy).toBe('Retain');
      expect(properties.PendingWindowInDays).toBe(30);
    }
  });

  it('can have replicas, those of vault and audit, unless it was said that they never will', () => {
    expect(keyOf('vault').properties.MultiRegion).toBe(true);
    expect(keyOf('audit').properties.MultiRegion).toBe(true);
    expect(keyOf('vault', synthesize({ multiRegion: 'false' })).properties.MultiRegion).toBe(false);
  });

  it('wait for material of the customer where that is asked for, and nothing uses the key before', () => {
    const external = synthesize({ keyOrigin: 'EXTERNAL' });
    expect(keyOf('vault', external).properties).toMatchObject({ Origin: 'EXTERNAL', MultiRegion: true });
    expect(keyOf('vault', external).properties.EnableKeyRotation).toBeUndefined();
    const triggers = (of: typeof whole): number =>
      of.ofType('Custom::Trigger').filter(({ stack }) => stack.includes('vault')).length;
    expect([triggers(external), triggers(whole)]).toEqual([0, 1]);
  });
});

describe('the network', () => {
  const groupOf = (name: string): Resource =>
    whole.one('AWS::EC2::SecurityGroup', ({ id }) => new RegExp(`^${name}group[0-9A-F]{8}$`).test(id));

  /** Who may connect to a group, and at which port: inline rules and rules of their own. */
  function ingressOf(name: string): { port: number; from: string }[] {
    const group = groupOf(name);
    const own = whole
      .ofType('AWS::EC2::SecurityGroupIngress')
      .filter(({ properties }) => properties.GroupId === `${group.id}.GroupId`)
      .map(({ properties }) => ({
        port: properties.FromPort,
        from: nameOf(properties.SourceSecurityGroupId),
      }));
    const inline = (group.properties.SecurityGroupIngress ?? []).map(
      ({ FromPort, CidrIp }: { FromPort: number; CidrIp: string }) => ({ port: FromPort, from: CidrIp }),
    );
    return [...own, ...inline];
  }

  const nameOf = (group: string): string => group.replace(/group[0-9A-F]{8}\.GroupId$/, '');

  it.each(NODES)('lets into %s those who call it in the definition, at its port, and nobody else', (node) => {
    const functions = Object.entries(mesh.functions)
      .filter(([, { backends }]) =>
        backends.some((backend) => mesh.virtualServices[backend]?.provider === node),
      )
      .map(([name]) => name);
    const nodes = edgesOf(mesh)
      .filter(({ to }) => to === node)
      .map(({ from }) => from);
    const callers = [...nodes, ...functions];
    const expected = node in mesh.virtualGateways ? ['edge'] : callers;
    const port = memberOf(mesh, node)?.listener.port;
    expect(ingressOf(node).toSorted((a, b) => a.from.localeCompare(b.from))).toEqual(
      expected.toSorted().map((from) => ({ port, from })),
    );
  });

  it('lets anybody reach the load balancer alone', () => {
    expect(ingressOf('edge')).toEqual([{ port: 443, from: '0.0.0.0/0' }]);
    const open = whole
      .ofType('AWS::EC2::SecurityGroup')
      .filter(({ properties }) =>
        JSON.stringify(properties.SecurityGroupIngress ?? []).includes('0.0.0.0/0'),
      );
    expect(open).toHaveLength(1);
  });

  it('has no address of a task that the internet knows, and no service in a public subnet', () => {
    const services = whole.ofType('AWS::ECS::Service');
    expect(services).toHaveLength(NODES.length);
    for (const { properties } of services) {
      const { AssignPublicIp, Subnets } = properties.NetworkConfiguration.AwsvpcConfiguration;
      expect(AssignPublicIp).toBe('DISABLED');
      expect(Subnets.join()).toMatch(
        ['paybill', 'gateway'].includes(properties.ServiceName) ? /^vpcoutgoing/ : /^vpcclosed/,
      );
      expect(Subnets).toHaveLength(2);
    }
  });

  it('has no way out of the subnets of the tokenizer', () => {
    const routes = whole.ofType('AWS::EC2::Route');
    expect(routes.length).toBeGreaterThan(0);
    expect(routes.filter(({ id }) => id.includes('closed'))).toEqual([]);
  });

  it('has an endpoint for every service that a task calls', () => {
    const services = (of: typeof whole): string[] =>
      of
        .ofType('AWS::EC2::VPCEndpoint')
        .map(({ properties }) => String(properties.ServiceName).replace(/^.*us-east-1\./, ''));
    const always = ['dynamodb', 'ecr.api', 'ecr.dkr', 'events', 'kms', 'logs', 's3', 'secretsmanager'];
    expect(services(whole).toSorted()).toEqual(always);
    expect(services(synthesize({ certificates: 'short-lived' })).toSorted()).toEqual(['acm-pca', ...always]);
  });

  it('has nothing that is public where there is no domain', () => {
    expect(plain.ofType('AWS::ElasticLoadBalancingV2::LoadBalancer')).toEqual([]);
  });
});

describe('the private CAs', () => {
  it('are two hierarchies of a root and a subordinate, as the definition names them', () => {
    const names = whole
      .ofType('AWS::ACMPCA::CertificateAuthority')
      .map(({ properties }) => [properties.Type, properties.Subject.CommonName, properties.UsageMode]);
    expect(names).toEqual(
      (['clients', 'servers'] as const).flatMap((name) => [
        ['ROOT', mesh.hierarchies[name].rootCommonName, 'GENERAL_PURPOSE'],
        ['SUBORDINATE', mesh.hierarchies[name].subordinateCommonName, 'GENERAL_PURPOSE'],
      ]),
    );
  });

  it('let ACM issue from the subordinates, and only from them', () => {
    const permitted = whole.ofType('AWS::ACMPCA::Permission').map(({ properties }) => ({
      ca: String(properties.CertificateAuthorityArn).replace(/^.*authority\//, ''),
      actions: properties.Actions,
      principal: properties.Principal,
    }));
    expect(permitted).toEqual(
      ['clientsissuing', 'serversissuing'].map((ca) => ({
        ca: expect.stringMatching(new RegExp(`^${ca}`)),
        actions: ['IssueCertificate', 'GetCertificate', 'ListPermissions'],
        principal: 'acm.amazonaws.com',
      })),
    );
  });

  it('write their lists where the sidecars are told that they are', () => {
    const text = whole.one('AWS::SecretsManager::Secret', ({ id }) => id === 'authorities').properties
      .SecretString;
    const listed = parseAuthorities('it', text);
    for (const hierarchy of ['clients', 'servers'] as const) {
      expect(listed[hierarchy]).toHaveLength(2);
      for (const { crl } of listed[hierarchy]) {
        expect(crl.bucket).toMatch(/^crls/);
        expect(crl.key).toMatch(new RegExp(`^crl/${hierarchy}(root|issuing).*\\.crl$`));
      }
    }
    for (const { properties } of whole.ofType('AWS::ACMPCA::CertificateAuthority')) {
      expect(properties.RevocationConfiguration.CrlConfiguration).toMatchObject({
        Enabled: true,
        ExpirationInDays: 7,
      });
    }
  });

  it('begin with nobody revoked, in a form that the sidecars read', () => {
    const { SecretString } = whole.one(
      'AWS::SecretsManager::Secret',
      ({ id }) => id === 'denylist',
    ).properties;
    expect(parseDenyList('it', SecretString)).toEqual({ denied: [] });
  });

  it('sign for a week at most where the task makes its key, beside the others', () => {
    const short = synthesize({ certificates: 'short-lived' });
    const modes = short
      .ofType('AWS::ACMPCA::CertificateAuthority')
      .map(({ properties }) => properties.UsageMode);
    expect(modes.filter((mode) => mode === 'SHORT_LIVED_CERTIFICATE')).toHaveLength(2);
    expect(
      short.ofType('AWS::CertificateManager::Certificate').map(({ properties }) => properties.DomainName),
    ).toEqual(['gateway.tokenmesh.internal', 'gateway.tokenmesh.internal', 'bulk.tokenmesh.internal']);
  });
});

describe('the certificates', () => {
  it('are two for each node, and one of a client for a function, from the CA of their side, on P-256, with the tags of their owner', () => {
    const found = whole
      .ofType('AWS::CertificateManager::Certificate')
      .filter(({ stack }) => stack.includes('certificates'));
    expect(found).toHaveLength(NODES.length * 2 + Object.keys(mesh.functions).length);
    for (const { properties } of found) {
      const tags = new Map(
        properties.Tags.map(({ Key, Value }: { Key: string; Value: string }) => [Key, Value]),
      );
      const role = tags.get('tokenmesh:role') as string;
      expect(properties.DomainName).toBe(identityOf(mesh, tags.get('tokenmesh:node') as string));
      expect(properties.KeyAlgorithm).toBe('EC_prime256v1');
      expect(properties.CertificateAuthorityArn).toContain(`authority/${role}sissuing`);
    }
  });

  it('keep key and passphrase in secrets of their own, under a key of the customer', () => {
    const secrets = whole.ofType('AWS::SecretsManager::Secret');
    expect(secrets).toHaveLength(NODES.length * 4 + Object.keys(mesh.functions).length * 2 + 4);
    for (const { properties } of secrets) expect(properties.KmsKeyId).toMatch(/:key\/secretskey$/);
    const ofNodes = secrets.filter(({ stack }) => stack.includes('certificates'));
    expect(ofNodes.every(({ properties }) => properties.SecretString === undefined)).toBe(true);
  });

  it('are exported once before any node starts', () => {
    const services = whole.templates.get(`tokenmesh-services-${REGION}`);
    expect(services).toBeDefined();
    const trigger = whole.one('Custom::Trigger', ({ stack }) => stack.includes('certificates'));
    expect(trigger.properties.InvocationType).toBe('RequestResponse');
  });

  it('are renewed by the events that ACM has, by the operator, and once a day', () => {
    const rules = whole.ofType('AWS::Events::Rule').map(({ properties }) => ({
      types: properties.EventPattern?.['detail-type'] ?? properties.ScheduleExpression,
      target: properties.Targets[0].Arn.replace(/[0-9A-F]{8}\.Arn$/, ''),
      detail: properties.EventPattern?.detail,
    }));
    expect(rules).toEqual(
      expect.arrayContaining([
        { types: ['ACM Certificate Available'], target: 'renewal', detail: { Action: ['RENEWAL'] } },
        {
          types: [
            'ACM Certificate Approaching Expiration',
            'ACM Certificate Expired',
            'ACM Certificate Renewal Action Required',
          ],
          target: 'renewal',
          detail: undefined,
        },
        { types: ['Certificate Rotation Requested'], target: 'renewal', detail: undefined },
        { types: ['ACM Private CA CRL Generation'], target: 'crl', detail: undefined },
        { types: 'rate(1 day)', target: 'renewal', detail: undefined },
      ]),
    );
  });

  it('keep what could not be done for two weeks, sealed', () => {
    const queue = whole.one('AWS::SQS::Queue', ({ stack }) => stack.includes('certificates'));
    expect(queue.properties).toMatchObject({
      QueueName: 'tokenmesh-renewal-dead-letters',
      MessageRetentionPeriod: 14 * 86_400,
      KmsMasterKeyId: expect.stringMatching(/:key\/operationskey$/),
    });
    const functions = whole
      .ofType('AWS::Lambda::Function')
      .filter(({ properties }) => /-(exporter|renewal|crl)$/.test(properties.FunctionName ?? ''));
    expect(functions).toHaveLength(3);
    for (const { properties } of functions)
      expect(properties.DeadLetterConfig.TargetArn).toBe(`${queue.id}.Arn`);
  });
});

describe('the edge', () => {
  it('takes TLS 1.3 alone, and no request without a token of the pool', () => {
    const { properties } = whole.one('AWS::ElasticLoadBalancingV2::Listener', () => true);
    expect(properties).toMatchObject({
      Port: 443,
      Protocol: 'HTTPS',
      SslPolicy: 'ELBSecurityPolicy-TLS13-1-3-2021-06',
    });
    expect(properties.DefaultActions.map(({ Type }: { Type: string }) => Type)).toEqual([
      'jwt-validation',
      'forward',
    ]);
    expect(properties.DefaultActions[0].JwtValidationConfig.JwksEndpoint).toBe(
      `${properties.DefaultActions[0].JwtValidationConfig.Issuer}/.well-known/jwks.json`,
    );
  });

  it('lets a question of a browser through, which has no token, and nothing else', () => {
    const { properties } = whole.one('AWS::ElasticLoadBalancingV2::ListenerRule', () => true);
    expect(properties.Conditions).toEqual([
      { Field: 'http-request-method', HttpRequestMethodConfig: { Values: ['OPTIONS'] } },
    ]);
  });

  it('is refused to a definition whose gateway authenticates nobody', () => {
    const open = withOpenGateway();
    const domain = { domain: 'pay.example.com', hostedZoneId: 'Z0123456789ABC' };
    expect(() => synthesize(domain, { mesh: open })).toThrow(
      expect.objectContaining({ code: 'ERR_DEPLOYMENT_INVALID', message: expect.stringMatching(/domain/) }),
    );
    expect(synthesize({}, { mesh: open }).ofType('AWS::Cognito::UserPool')).toEqual([]);
  });

  it('reaches the gateway over TLS, and takes its refusal for a sign of life', () => {
    const { properties } = whole.one('AWS::ElasticLoadBalancingV2::TargetGroup', () => true);
    expect(properties).toMatchObject({
      Port: mesh.virtualGateways['gateway']?.listener.port,
      Protocol: 'HTTPS',
      HealthCheckProtocol: 'HTTPS',
      Matcher: { HttpCode: '401' },
    });
  });

  it('stands behind a firewall that limits rates', () => {
    const acl = whole.one('AWS::WAFv2::WebACL', () => true);
    expect(acl.properties.Rules.map(({ Name }: { Name: string }) => Name)).toEqual([
      'rate',
      'AWSManagedRulesAmazonIpReputationList',
      'AWSManagedRulesCommonRuleSet',
      'AWSManagedRulesKnownBadInputsRuleSet',
    ]);
    expect(whole.ofType('AWS::WAFv2::WebACLAssociation')).toHaveLength(1);
  });
});

interface Container {
  readonly Environment: readonly { readonly Name: string; readonly Value: string }[];
}

interface Egress {
  readonly Description: string;
  readonly CidrIp: string;
  readonly FromPort: number;
  readonly ToPort: number;
}

describe('callers outside', () => {
  it('get tokens for the scopes of the definition, with a domain or without', () => {
    const scopes = Object.values(mesh.virtualGateways).flatMap(({ listener }) =>
      listener.operations.map(({ scope }) => scope),
    );
    const server = plain.one('AWS::Cognito::UserPoolResourceServer', () => true);
    expect(server.properties.Identifier).toBe('tokenmesh');
    expect(server.properties.Scopes.map(({ ScopeName }: { ScopeName: string }) => ScopeName)).toEqual(scopes);
    const { properties } = plain.one('AWS::Cognito::UserPoolClient', () => true);
    expect(properties).toMatchObject({ AllowedOAuthFlows: ['client_credentials'], GenerateSecret: true });
    expect(properties.AllowedOAuthScopes).toHaveLength(scopes.length);
  });

  it.each(NODES)('are known by keys that %s can fetch where it is the gateway', (node) => {
    const group = whole.one('AWS::EC2::SecurityGroup', ({ id }) =>
      new RegExp(`^${node}group[0-9A-F]{8}$`).test(id),
    );
    const ends = (group.properties.SecurityGroupEgress as Egress[])
      .filter(({ Description }) => Description.startsWith('the keys'))
      .map(({ CidrIp, FromPort, ToPort }) => ({ CidrIp, FromPort, ToPort }));
    expect(ends).toEqual(node === 'gateway' ? [{ CidrIp: '0.0.0.0/0', FromPort: 443, ToPort: 443 }] : []);
  });
});

describe('what is watched', () => {
  const alarms = whole.ofType('AWS::CloudWatch::Alarm');

  it('tells one topic, and says in each alarm what it means', () => {
    expect(alarms.length).toBeGreaterThan(30);
    const topic = whole.one('AWS::SNS::Topic', () => true);
    for (const { properties } of alarms) {
      expect(properties.AlarmDescription.length).toBeGreaterThan(40);
      expect(properties.AlarmActions).toEqual([topic.id]);
    }
    expect(topic.properties.KmsMasterKeyId).toMatch(/:key\/operationskey$/);
  });

  it('has an alarm of unusual numbers of reveals, and of refused ones', () => {
    const unusual = alarms.filter(({ properties }) =>
      JSON.stringify(properties).includes('ANOMALY_DETECTION_BAND'),
    );
    expect(unusual.map(({ id }) => id.replace(/[0-9A-F]{8}$/, ''))).toEqual([
      'alarmsrevealsunusual',
      'alarmsrefusedrevealsunusual',
    ]);
  });

  it('keeps every log under a key of the customer, for as long as was said', () => {
    const logs = synthesize({ logDays: '30' }).ofType('AWS::Logs::LogGroup');
    expect(logs.length).toBeGreaterThan(8);
    for (const { properties } of logs) {
      expect(properties.RetentionInDays).toBe(30);
      expect(properties.KmsKeyId).toMatch(/:key\/operationskey$/);
    }
  });

  it('keeps every bucket closed', () => {
    const buckets = whole.ofType('AWS::S3::Bucket');
    expect(buckets).toHaveLength(3);
    for (const { properties } of buckets) {
      expect(Object.values(properties.PublicAccessBlockConfiguration)).toEqual([true, true, true, true]);
      expect(properties.BucketEncryption).toBeDefined();
    }
  });
});

describe('several regions', () => {
  const both = synthesize({ regions: 'us-east-1,eu-west-1' });

  it('have one key of vault and audit each, and its replicas', () => {
    const replicas = both.ofType('AWS::KMS::ReplicaKey');
    expect(replicas.map(({ stack, id }) => [stack, id])).toEqual([
      ['tokenmesh-keys-eu-west-1', 'vaultkey'],
      ['tokenmesh-keys-eu-west-1', 'auditkey'],
    ]);
  });

  const regionsOf = (table: Resource): string[] =>
    table.properties.Replicas.map(({ Region }: { Region: string }) => Region).toSorted();

  it('have audit and orders of their own', () => {
    const own = both.ofType('AWS::DynamoDB::GlobalTable').filter((table) => regionsOf(table).length === 1);
    const wanted = ['eu-west-1', 'us-east-1'].flatMap((region) =>
      [TABLES.audit, TABLES.orders].map((name) => `${name} of tokenmesh-vault-${region}`),
    );
    expect(new Set(own.map(({ properties, stack }) => `${properties.TableName} of ${stack}`))).toEqual(
      new Set(wanted),
    );
    expect(own).toHaveLength(wanted.length);
  });

  it('share the other tables, each with a replica under a key of its own region', () => {
    const tables = both.ofType('AWS::DynamoDB::GlobalTable').filter((table) => regionsOf(table).length > 1);
    expect(tables).toHaveLength(REPLICATED_TABLES.length);
    expect(new Set(tables.map(({ properties }) => properties.TableName))).toEqual(
      new Set(REPLICATED_TABLES.map((role) => TABLES[role])),
    );
    for (const { properties } of tables) {
      const replica = properties.Replicas.find(({ Region }: { Region: string }) => Region === 'eu-west-1');
      expect(replica.SSESpecification.KMSMasterKeyId).toBe(
        `arn:aws:kms:eu-west-1:${ACCOUNT}:alias/tokenmesh-tables`,
      );
      expect(replica).toMatchObject({ DeletionProtectionEnabled: true });
    }
  });

  it.each([
    ['us-east-1', 'IAD'],
    ['eu-west-1', 'DUB'],
  ])('tell the tokenizer of %s which region it is, by the code that its tokens name', (region, code) => {
    const task = both.one(
      'AWS::ECS::TaskDefinition',
      ({ stack, properties }) => stack.endsWith(region) && properties.Family === 'tokenmesh-tokenizer',
    );
    for (const { Environment } of task.properties.ContainerDefinitions as Container[]) {
      expect(Environment).toContainEqual({ Name: 'AWS_REGION', Value: region });
    }
    expect(REGION_CODES[region]).toBe(code);
  });

  it('lead a caller to the nearest that answers, each under a certificate of its own', () => {
    const outside = synthesize({
      regions: 'us-east-1,eu-west-1',
      domain: 'pay.example.com',
      hostedZoneId: 'Z0123456789ABC',
    });
    const records = outside.ofType('AWS::Route53::RecordSet').map(({ properties }) => properties);
    expect(records.map(({ Name, Region, SetIdentifier }) => [Name, Region, SetIdentifier])).toEqual([
      ['pay.example.com.', 'us-east-1', 'us-east-1'],
      ['pay.example.com.', 'eu-west-1', 'eu-west-1'],
    ]);
    for (const { AliasTarget } of records) expect(AliasTarget.EvaluateTargetHealth).toBe(true);
  });

  it('have a mesh each, with CAs and certificates of its own', () => {
    const stacks = [...both.templates.keys()].filter((name) => name.endsWith('eu-west-1'));
    expect(stacks.map((name) => name.split('-')[1] ?? '').toSorted()).toEqual([
      'bulk',
      'callers',
      'certificates',
      'keys',
      'network',
      'observability',
      'pki',
      'services',
      'vault',
    ]);
  });
});
