import { describe, expect, it } from '@jest/globals';
import { SIZES } from '../../infra/sizes.ts';
import { identityOf } from '../../mesh/identity.ts';
import { tokenizationMesh as mesh } from '../../mesh/tokenization-mesh.ts';
import { originOf } from '../../queue/adapters/way-to-tokenizer.ts';
import { readConfig } from '../../queue/config.ts';
import { ACCOUNT, REGION, synthesize, type Resource } from '../support/synthesized.ts';

const made = synthesize();

const queueNamed = (name: string): Resource =>
  made.one('AWS::SQS::Queue', ({ properties }) => properties.QueueName === name);

const handler = made.one(
  'AWS::Lambda::Function',
  ({ properties }) => properties.FunctionName === 'tokenmesh-bulk',
).properties;

const SUFFIXES = ['', '.fifo'];

describe('the queues of what is tokenized in bulk', () => {
  it.each(SUFFIXES)(
    'tokenmesh-bulk%s seals under the key of the customer, and gives a message up after five tries',
    (suffix) => {
      const parts = queueNamed(`tokenmesh-bulk${suffix}`);
      const dead = queueNamed(`tokenmesh-bulk-dead${suffix}`);
      for (const { properties } of [parts, dead]) {
        expect(properties.KmsMasterKeyId).toMatch(/:key\/bulkkey$/);
        expect(properties.FifoQueue).toBe(suffix === '.fifo' ? true : undefined);
      }
      expect(parts.properties.RedrivePolicy).toEqual({
        deadLetterTargetArn: `${dead.id}.Arn`,
        maxReceiveCount: 5,
      });
      expect(dead.properties.RedriveAllowPolicy).toEqual({
        redrivePermission: 'byQueue',
        sourceQueueArns: [`arn:aws:sqs:${REGION}:${ACCOUNT}:tokenmesh-bulk${suffix}`],
      });
      expect(dead.properties.MessageRetentionPeriod).toBe(14 * 86_400);
      expect(dead.properties.MessageRetentionPeriod).toBeGreaterThan(parts.properties.MessageRetentionPeriod);
    },
  );

  it('hide a message for six times as long as the function may take', () => {
    for (const suffix of SUFFIXES) {
      expect(queueNamed(`tokenmesh-bulk${suffix}`).properties.VisibilityTimeout).toBe(6 * handler.Timeout);
    }
  });

  it('refuse whoever comes without TLS', () => {
    const policies = made.ofType('AWS::SQS::QueuePolicy').filter(({ stack }) => stack.includes('bulk'));
    expect(policies).toHaveLength(4);
    for (const { properties } of policies) {
      expect(properties.PolicyDocument.Statement).toEqual([
        expect.objectContaining({
          Effect: 'Deny',
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        }),
      ]);
    }
  });
});

describe('the function that tokenizes in bulk', () => {
  it.each(Object.keys(SIZES) as (keyof typeof SIZES)[])(
    'takes five parts at a time of each queue, and tells which failed, with as many events as %s has tokenizers',
    (size) => {
      const mappings = synthesize({ size }).ofType('AWS::Lambda::EventSourceMapping');
      expect(mappings).toHaveLength(2);
      for (const { properties } of mappings) {
        expect(properties).toMatchObject({
          BatchSize: 5,
          FunctionResponseTypes: ['ReportBatchItemFailures'],
          ScalingConfig: { MaximumConcurrency: SIZES[size].tokenizer.tasksAtLeast },
        });
      }
    },
  );

  it('has settings that it takes, and no address: the tokenizer is found by its name', () => {
    const config = readConfig(handler.Environment.Variables as Record<string, string>);
    expect(config.keyArn).toMatch(/:key\/bulkkey$/);
    expect(config.tokenizerEndpoint).toBeUndefined();
    const [service] = made
      .ofType('AWS::ServiceDiscovery::Service')
      .filter(({ properties }) => properties.Name === 'tokenizer');
    const { Name } = made.one('AWS::ServiceDiscovery::PrivateDnsNamespace', () => true).properties;
    const name = `${service?.properties.Name}.${Name}`;
    expect(name).toBe(identityOf(mesh, 'tokenizer'));
    expect(originOf({ mesh })).toBe(`https://${name}:${mesh.virtualNodes['tokenizer']?.listener.port}`);
  });

  it('is in the subnets that have no way out', () => {
    expect(handler.VpcConfig.SubnetIds).toHaveLength(2);
    expect(handler.VpcConfig.SubnetIds.join()).toMatch(/^vpcclosed/);
    const group = String(handler.VpcConfig.SecurityGroupIds[0]).replace('.GroupId', '');
    expect(group).toMatch(/^bulkgroup/);
    const rules = made
      .ofType('AWS::EC2::SecurityGroupIngress')
      .filter(({ properties }) => properties.GroupId === `${group}.GroupId`);
    expect(rules).toEqual([]);
  });

  it('has a certificate of its own, of a client alone', () => {
    const own = made
      .ofType('AWS::CertificateManager::Certificate')
      .filter(({ properties }) => properties.DomainName === identityOf(mesh, 'bulk'));
    expect(own).toHaveLength(1);
    expect(own[0]?.properties.CertificateAuthorityArn).toContain('authority/clientsissuing');
    expect(own[0]?.properties.Tags).toContainEqual({ Key: 'tokenmesh:node', Value: 'bulk' });
  });
});

describe('the bucket of the tokens', () => {
  const bucket = made.one('AWS::S3::Bucket', ({ id }) => id.startsWith('results')).properties;

  it('is sealed under the key of the customer', () => {
    const [rule] = bucket.BucketEncryption.ServerSideEncryptionConfiguration;
    expect(rule).toMatchObject({ BucketKeyEnabled: true });
    expect(rule.ServerSideEncryptionByDefault.KMSMasterKeyID).toMatch(/:key\/bulkkey$/);
  });

  it('keeps what was done for longer than any message can come again', () => {
    const days = bucket.LifecycleConfiguration.Rules[0].ExpirationInDays;
    const longest = Math.max(
      ...made.ofType('AWS::SQS::Queue').map(({ properties }) => properties.MessageRetentionPeriod as number),
    );
    expect(days * 86_400).toBeGreaterThan(longest);
  });

  it('is all of S3 that the network lets anybody write to', () => {
    const endpoint = made.one('AWS::EC2::VPCEndpoint', ({ id }) => id.includes('s3endpoint')).properties;
    const writes = endpoint.PolicyDocument.Statement.filter(({ Action }: { Action: string | string[] }) =>
      [Action].flat().includes('s3:PutObject'),
    );
    expect(writes.map(({ Resource }: { Resource: string }) => Resource)).toEqual([
      `arn:aws:s3:::tokenmesh-bulk-results-${ACCOUNT}-${REGION}/loads/*`,
    ]);
  });
});

describe('what is watched of it', () => {
  it('are dead letters and waiting messages of each queue, and the function', () => {
    const alarms = made
      .ofType('AWS::CloudWatch::Alarm')
      .filter(({ id }) => id.startsWith('alarmsbulk') && !id.includes('client'))
      .map(({ properties }) => String(properties.MetricName));
    expect(alarms.toSorted()).toEqual([
      'ApproximateAgeOfOldestMessage',
      'ApproximateAgeOfOldestMessage',
      'ApproximateNumberOfMessagesVisible',
      'ApproximateNumberOfMessagesVisible',
      'Errors',
    ]);
  });
});
