/**
 * The templates as CloudFormation takes them: linted, and made into stacks by an emulator.
 *
 * @module
 */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeKeyCommand, GetKeyPolicyCommand, KMSClient } from '@aws-sdk/client-kms';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { preparePythonEnvironment } from '../../local/aws/python-environment.ts';
import { denyListSecretName, parseDenyList } from '../../pki/revocation.ts';
import { TABLE_KEYS, TABLES, type TableRole } from '../../sidecar/tables.ts';
import {
  startCloudFormation,
  type EmulatedCloudFormation,
  type MadeStack,
} from '../support/cloudformation.ts';
import { AT_EDGE, edgeKeyFile } from '../support/edge-key-file.ts';
import { synthesize } from '../support/synthesized.ts';

const HERE = import.meta.dirname;
const DEADLINE_MS = 300_000;

/** In the order in which they are made. */
const STACKS = [
  'keys',
  'vault',
  'network',
  'pki',
  'certificates',
  'callers',
  'edge',
  'services',
  'bulk',
  'observability',
  'distribution',
];

/** What the emulator does not know. What it learns, this list must lose. */
const LACKING = [
  'AWS::ACMPCA::Certificate',
  'AWS::ACMPCA::CertificateAuthority',
  'AWS::ACMPCA::CertificateAuthorityActivation',
  'AWS::ACMPCA::Permission',
  'AWS::ApplicationAutoScaling::ScalableTarget',
  'AWS::ApplicationAutoScaling::ScalingPolicy',
  'AWS::EC2::EIP',
  'AWS::EC2::FlowLog',
  'AWS::EC2::NatGateway',
  'AWS::EC2::SecurityGroupEgress',
  'AWS::EC2::SecurityGroupIngress',
  'AWS::WAFv2::LoggingConfiguration',
  'AWS::WAFv2::WebACLAssociation',
  'Custom::Trigger',
  'Custom::VpcRestrictDefaultSG',
];

/** Every stack that there can be but that of the orders' database, whose secret the emulator's instance has not. */
const EVERYTHING = {
  ...AT_EDGE,
  edgeKeys: 'first',
  edgeKeyFile: edgeKeyFile(),
  outsider: 'true',
};

let bin: string;

beforeAll(async () => {
  ({ bin } = await preparePythonEnvironment({
    projectRoot: join(HERE, '..', '..'),
    requirementsFile: join(HERE, 'requirements.txt'),
    name: 'infra',
    onProgress: () => undefined,
  }));
}, DEADLINE_MS);

describe('the templates', () => {
  it.each([
    ['envoy', { domain: 'pay.example.com', hostedZoneId: 'Z0123456789ABC', outsider: 'true' }],
    ['envoy with every choice', { ...EVERYTHING, hostedZoneId: 'Z0123456789ABC' }],
    [
      'envoy with short-lived certificates, in two regions',
      { certificates: 'short-lived', regions: 'us-east-1,eu-west-1' },
    ],
    ['app-mesh', { target: 'app-mesh' }, ['W3696']],
  ])(
    'of the target %s have no error that cfn-lint finds',
    async (_name: string, context: Record<string, string>, known: string[] = []) => {
      const directory = await mkdtemp(join(tmpdir(), 'tokenmesh-lint-'));
      try {
        const { templates } = synthesize(context);
        const files = [...templates].map(([name, template]) => ({
          file: join(directory, `${name}.json`),
          template,
        }));
        for (const { file, template } of files) await writeFile(file, JSON.stringify(template));
        // W3005 is about resources of CDK's own, W3696 says of App Mesh that AWS ended it.
        const lint = promisify(execFile)(join(bin, 'cfn-lint'), [
          ...['--ignore-checks', 'W3005', ...known, '--'],
          ...files.map(({ file }) => file),
        ]);
        expect((await lint).stdout).toBe('');
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    },
    DEADLINE_MS,
  );
});

describe('the stacks', () => {
  let cloudFormation: EmulatedCloudFormation;
  const made = new Map<string, MadeStack>();
  let resources = 0;
  let stackCount = 0;

  beforeAll(async () => {
    cloudFormation = await startCloudFormation(bin);
    const hostedZoneId = await cloudFormation.hostedZone('pay.example.com');
    const { templates } = synthesize({ ...EVERYTHING, hostedZoneId });
    stackCount = templates.size;
    for (const name of STACKS) {
      const stackName = `tokenmesh-${name}-us-east-1`;
      const template = templates.get(stackName);
      if (template === undefined) throw new Error(`expected a stack ${stackName}`);
      resources += Object.keys(template.Resources).length;
      made.set(name, await cloudFormation.deploy(stackName, template));
    }
  }, DEADLINE_MS);

  afterAll(async () => await cloudFormation.stop());

  it.each(STACKS)('of %s are made, but for what the emulator does not know', (name) => {
    expect(made.get(name)).toMatchObject({ status: 'CREATE_COMPLETE', failures: [] });
    expect(made.get(name)?.created).toBeGreaterThan(0);
  });

  it('lack nothing but what is listed, and all else is there', () => {
    expect(stackCount).toBe(STACKS.length);
    const all = [...made.values()];
    expect([...new Set(all.flatMap(({ lacking }) => lacking))].toSorted()).toEqual(LACKING);
    const created = all.reduce((sum, each) => sum + each.created, 0);
    const leftOut = all.reduce((sum, each) => sum + each.leftOut, 0);
    expect(created + leftOut).toBe(resources);
    const page = readFileSync(join(HERE, '..', '..', 'docs', 'deploy.md'), 'utf8');
    expect(page).toContain(`${resources} resources`);
    expect(page).toContain(`${created} resources are made; ${leftOut} are not`);
  });

  it('give the programs the tables that they know', async () => {
    const client = new DynamoDBClient(cloudFormation.clientConfig);
    for (const [role, TableName] of Object.entries(TABLES) as [TableRole, string][]) {
      const { Table } = await client.send(new DescribeTableCommand({ TableName }));
      const { hash, range } = TABLE_KEYS[role];
      expect(Table?.KeySchema?.map(({ AttributeName }) => AttributeName)).toEqual(
        range === undefined ? [hash] : [hash, range],
      );
    }
    client.destroy();
  });

  it('give the vault its key, with the policy that names the tokenizer', async () => {
    const client = new KMSClient(cloudFormation.clientConfig);
    const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId: 'alias/tokenmesh-vault' }));
    const KeyId = KeyMetadata?.KeyId ?? '';
    const { Policy = '' } = await client.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }));
    const { Statement } = JSON.parse(Policy) as {
      Statement: { Action: unknown; Principal: { AWS: unknown } }[];
    };
    const decrypting = Statement.filter(({ Action }) => [Action].flat().includes('kms:Decrypt'));
    expect(decrypting).toHaveLength(2);
    for (const { Principal } of decrypting) expect(Principal.AWS).toMatch(/role\/.*[Tt]okenizer/);
    client.destroy();
  });

  it('give the sidecars a deny list that they can read', async () => {
    const client = new SecretsManagerClient(cloudFormation.clientConfig);
    const name = denyListSecretName('tokenmesh');
    const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: name }));
    expect(parseDenyList(name, SecretString)).toEqual({ denied: [] });
    client.destroy();
  });
});
