import { describe, expect, it } from '@jest/globals';
import { readConfig } from '../../sidecar/tokenizer/config.ts';
import { AT_EDGE, edgeKeyFile } from '../support/edge-key-file.ts';
import { ACCOUNT, synthesize, type Resource, type Synthesized } from '../support/synthesized.ts';

const made = synthesize({ ...AT_EDGE, edgeKeyFile: edgeKeyFile() });

const inDistribution = ({ stack }: Resource): boolean => stack === 'tokenmesh-distribution-us-east-1';

const distribution = made.one('AWS::CloudFront::Distribution', () => true).properties.DistributionConfig;

function settingsOfTokenizer(of: Synthesized): ReturnType<typeof readConfig> {
  const task = of.one(
    'AWS::ECS::TaskDefinition',
    ({ stack, properties }) => stack.endsWith('us-east-1') && properties.Family === 'tokenmesh-tokenizer',
  );
  const app = task.properties.ContainerDefinitions.find(({ Name }: { Name: string }) => Name === 'app');
  return readConfig(
    Object.fromEntries(
      app.Environment.map((each: { Name: string; Value: string }) => [each.Name, each.Value]),
    ),
  );
}

describe('the keys of the edge', () => {
  const keys = made.ofType('AWS::KMS::Key').filter(({ id }) => id.startsWith('edge'));

  it('are RSA for encryption, one for each name', () => {
    expect(keys.map(({ id }) => id)).toEqual(['edgesecondkey', 'edgefirstkey']);
    for (const { properties } of keys) {
      expect(properties).toMatchObject({ KeySpec: 'RSA_3072', KeyUsage: 'ENCRYPT_DECRYPT' });
    }
    const aliases = made.ofType('AWS::KMS::Alias').map(({ properties }) => properties.AliasName);
    expect(aliases).toEqual(
      expect.arrayContaining(['alias/tokenmesh-edge-second', 'alias/tokenmesh-edge-first']),
    );
  });

  it('open for the tokenizer alone, which is told all of them', () => {
    for (const { properties } of keys) {
      const decrypting = properties.KeyPolicy.Statement.filter(({ Action }: { Action: string | string[] }) =>
        [Action].flat().includes('kms:Decrypt'),
      );
      expect(decrypting).toEqual([
        expect.objectContaining({
          Principal: { AWS: expect.stringMatching(/role\/Rolestokenizer[0-9A-F]{8}$/) },
          Condition: { StringEquals: { 'kms:EncryptionAlgorithm': 'RSAES_OAEP_SHA_256' } },
        }),
      ]);
    }
    expect(settingsOfTokenizer(made).markKeyArns.map((arn) => arn.replace(/^.*key\//, ''))).toEqual([
      'edgesecondkey',
      'edgefirstkey',
    ]);
  });

  it('can be made before there is a function that encrypts under them', () => {
    const first = synthesize({ edgeKeys: 'first' });
    expect(first.ofType('AWS::CloudFront::Distribution')).toEqual([]);
    expect(settingsOfTokenizer(first).markKeyArns).toHaveLength(1);
  });

  it('are the same in every region', () => {
    const both = synthesize({ edgeKeys: 'first', regions: 'us-east-1,eu-west-1' });
    const replicas = both.ofType('AWS::KMS::ReplicaKey').map(({ id }) => id);
    expect(replicas).toEqual(['vaultkey', 'auditkey', 'edgefirstkey']);
  });
});

describe('CloudFront before the gateway', () => {
  it('hands each request that goes to the origin to the function, with its body', () => {
    const version = made.one('AWS::Lambda::Version', inDistribution);
    expect(distribution.DefaultCacheBehavior.LambdaFunctionAssociations).toEqual([
      { EventType: 'origin-request', IncludeBody: true, LambdaFunctionARN: version.id },
    ]);
    expect(distribution.CacheBehaviors).toBeUndefined();
    expect(distribution.DefaultCacheBehavior.AllowedMethods).toContain('POST');
  });

  it('takes TLS 1.3 alone, and proves its origin by a name of its own', () => {
    expect(distribution.ViewerCertificate.MinimumProtocolVersion).toBe('TLSv1.3_2025');
    expect(distribution.DefaultCacheBehavior.ViewerProtocolPolicy).toBe('https-only');
    expect(distribution.Origins).toEqual([
      expect.objectContaining({
        DomainName: 'origin.pay.example.com',
        CustomOriginConfig: expect.objectContaining({
          OriginProtocolPolicy: 'https-only',
          OriginSSLProtocols: ['TLSv1.2'],
        }),
      }),
    ]);
    const certificates = made
      .ofType('AWS::CertificateManager::Certificate')
      .filter(({ properties }) => properties.DomainValidationOptions !== undefined)
      .map(({ stack, properties }) => [stack.split('-')[1], properties.DomainName]);
    expect(certificates).toEqual([
      ['edge', 'origin.pay.example.com'],
      ['distribution', 'pay.example.com'],
    ]);
  });

  it('is the only one that reaches the load balancer', () => {
    const group = made.one('AWS::EC2::SecurityGroup', ({ id }) => /^edgegroup[0-9A-F]{8}$/.test(id));
    expect(group.properties.SecurityGroupIngress).toBeUndefined();
    const ingress = made
      .ofType('AWS::EC2::SecurityGroupIngress')
      .filter(({ properties }) => properties.GroupId === `${group.id}.GroupId`)
      .map(({ properties }) => [properties.FromPort, properties.SourcePrefixListId]);
    expect(ingress).toEqual([[443, 'pl-0123abcd']]);
  });

  it('has a firewall that counts by the address of the caller, which the load balancer does not see', () => {
    const rules = (scope: string): string[] =>
      made
        .one('AWS::WAFv2::WebACL', ({ properties }) => properties.Scope === scope)
        .properties.Rules.map(({ Name }: { Name: string }) => Name);
    expect(rules('CLOUDFRONT')).toContain('rate');
    expect(rules('REGIONAL')).not.toContain('rate');
    expect(rules('REGIONAL')).toHaveLength(3);
    const acl = made.one('AWS::WAFv2::WebACL', ({ properties }) => properties.Scope === 'CLOUDFRONT');
    expect(distribution.WebACLId).toBe(`${acl.id}.Arn`);
  });

  it('logs who called, in a bucket that nobody else reads', () => {
    expect(distribution.Logging).toMatchObject({ IncludeCookies: false });
    const bucket = made.one('AWS::S3::Bucket', inDistribution).properties;
    expect(Object.values(bucket.PublicAccessBlockConfiguration)).toEqual([true, true, true, true]);
  });

  it('is made where AWS wants it, whichever the regions are', () => {
    const elsewhere = synthesize({ ...AT_EDGE, regions: 'eu-west-1', edgeKeyFile: edgeKeyFile() });
    expect([...elsewhere.templates.keys()].filter((name) => !name.endsWith('eu-west-1'))).toEqual([
      'tokenmesh-distribution-us-east-1',
    ]);
  });
});

describe('the function at the edge', () => {
  const { properties } = made.one(
    'AWS::Lambda::Function',
    ({ properties: found }) => found.FunctionName === 'tokenmesh-edge',
  );

  it('is as Lambda@Edge takes one: a version, with no environment, network, layer or log of its own', () => {
    expect(properties.Architectures).toEqual(['x86_64']);
    for (const name of [
      'Environment',
      'VpcConfig',
      'Layers',
      'DeadLetterConfig',
      'LoggingConfig',
      'KmsKeyArn',
    ]) {
      expect([name, properties[name]]).toEqual([name, undefined]);
    }
    expect(made.one('AWS::Lambda::Version', inDistribution).deletionPolicy).toBe('Retain');
  });

  it('may write its log, and nothing else', () => {
    const role = made.one('AWS::IAM::Role', inDistribution);
    const services = role.properties.AssumeRolePolicyDocument.Statement.flatMap(
      ({ Principal }: { Principal: { Service: string | string[] } }) => Principal.Service,
    );
    expect(services).toEqual(['edgelambda.amazonaws.com', 'lambda.amazonaws.com']);
    expect(role.properties.ManagedPolicyArns).toBeUndefined();
    const policies = [...made.ofType('AWS::IAM::ManagedPolicy'), ...made.ofType('AWS::IAM::Policy')].filter(
      inDistribution,
    );
    expect(policies.map((each) => each.properties.PolicyDocument.Statement)).toEqual([
      [
        {
          Sid: 'WriteLog',
          Effect: 'Allow',
          Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
          Resource: `arn:aws:logs:*:${ACCOUNT}:log-group:/aws/lambda/us-east-1.tokenmesh-edge:*`,
        },
      ],
    ]);
  });
});
