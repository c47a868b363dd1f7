import { runSimulation } from '@cloud-copilot/iam-simulate';
import { describe, expect, it } from '@jest/globals';
import { TABLES } from '../../sidecar/tables.ts';
import { ACCOUNT, REGION, synthesize, type Resource } from '../support/synthesized.ts';

const made = synthesize({ outsider: 'true', certificates: 'short-lived' });
const exported = synthesize({ outsider: 'true' });

const table = (name: string): string => `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${name}`;
const bus = (name: string): string => `arn:aws:events:${REGION}:${ACCOUNT}:event-bus/${name}`;
const secret = (name: string): string => `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}-AbCdEf`;
const certificate = `arn:aws:acm:${REGION}:${ACCOUNT}:certificate/12345678-1234-1234-1234-123456789012`;
const keyOf = (alias: string): string => {
  const found = made.one(
    'AWS::KMS::Alias',
    ({ properties }) => properties.AliasName === `alias/tokenmesh-${alias}`,
  );
  const id = String(found.properties.TargetKeyId).replace(/\.KeyId$/, '');
  return `arn:aws:kms:${REGION}:${ACCOUNT}:key/${id}`;
};
const KEYS = {
  vault: keyOf('vault'),
  audit: keyOf('audit'),
  tables: keyOf('tables'),
  secrets: keyOf('secrets'),
  operations: keyOf('operations'),
  bulk: keyOf('bulk'),
};

const KEY_POLICIES = new Map(
  made
    .ofType('AWS::KMS::Key')
    .map(({ id, properties }) => [`arn:aws:kms:${REGION}:${ACCOUNT}:key/${id}`, properties.KeyPolicy]),
);

const ROLES = made.ofType('AWS::IAM::Role');

function roleOf(name: string): string {
  const compact = `Roles${name.replaceAll('-', '')}`;
  const found = ROLES.filter(({ id }) => new RegExp(`^${compact}[0-9A-F]{8}$`).test(id));
  if (found[0] === undefined || found.length > 1) throw new Error(`expected one role ${name}`);
  return `arn:aws:iam::${ACCOUNT}:role/${found[0].id}`;
}

/** Whatever is attached to a role, in whichever stack. */
function policiesOf(roleArn: string): { name: string; policy: unknown }[] {
  const attached = ({ properties }: Resource): boolean => (properties.Roles ?? []).includes(roleArn);
  return [...made.ofType('AWS::IAM::ManagedPolicy'), ...made.ofType('AWS::IAM::Policy')]
    .filter(attached)
    .map(({ id, properties }) => ({ name: id, policy: properties.PolicyDocument }));
}

type Context = Record<string, string | string[]>;

/**
 * The simulator knows no condition key that ends in a name of the caller's, but for tags: the encryption context
 * goes by that of another, in policies and requests alike. What is compared is the same.
 */
function simulable<Part>(part: Part): Part {
  const text = JSON.stringify(part).replaceAll('kms:EncryptionContext:', 'aws:PrincipalTag/context-');
  return JSON.parse(text) as Part;
}

/** @throws where the request is not one that IAM would know, or a key of its context does not apply to it. */
async function isAllowed(
  role: string,
  action: string,
  resource: string,
  context: Context = {},
): Promise<boolean> {
  const principal = roleOf(role);
  const simulation = {
    request: {
      principal,
      action,
      resource: { resource, accountId: ACCOUNT },
      contextVariables: context,
    },
    identityPolicies: policiesOf(principal),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    ...(KEY_POLICIES.has(resource) ? { resourcePolicy: KEY_POLICIES.get(resource) } : {}),
  };
  const result = await runSimulation(simulable(simulation), {});
  if (result.resultType === 'error') throw new Error(JSON.stringify(result.errors));
  if (result.resultType !== 'single') throw new Error(`expected one resource, got ${result.resultType}`);
  const { analysis, ignoredContextKeys = [] } = result.result;
  if (ignoredContextKeys.length > 0) throw new Error(`${action} knows no ${ignoredContextKeys.join(', ')}`);
  return analysis.result === 'Allowed';
}

const BRANCH_KEY = { 'kms:EncryptionContext:tablename': TABLES.keys };
const FINGERPRINT_KEY = { 'kms:EncryptionContext:purpose': 'tokenmesh fingerprints' };
const via = (service: string): Context => ({ 'kms:ViaService': `${service}.${REGION}.amazonaws.com` });
const PART = { 'kms:EncryptionContext:purpose': 'tokenmesh-bulk' };
const queue = (name: string): string => `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`;
const RESULTS = `arn:aws:s3:::tokenmesh-bulk-results-${ACCOUNT}-${REGION}`;
const OF_MESH = { 'aws:ResourceTag/tokenmesh:mesh': 'tokenmesh' };

type Case = readonly [role: string, action: string, resource: string, context?: Context];

const MUST: readonly Case[] = [
  ...['tokenmesh-bulk', 'tokenmesh-bulk.fifo'].flatMap((name): Case[] => [
    ['bulk', 'sqs:ReceiveMessage', queue(name)],
    ['bulk', 'sqs:DeleteMessage', queue(name)],
    ['bulk', 'sqs:GetQueueAttributes', queue(name)],
    ['loader', 'sqs:SendMessage', queue(name)],
  ]),
  ['bulk', 'kms:Decrypt', KEYS.bulk, PART],
  ['bulk', 'kms:Decrypt', KEYS.bulk, via('sqs')],
  ['bulk', 'kms:GenerateDataKey', KEYS.bulk, via('s3')],
  ['bulk', 's3:PutObject', `${RESULTS}/loads/one/1.jsonl`],
  ['bulk', 's3:ListBucket', RESULTS],
  ['bulk', 'secretsmanager:GetSecretValue', secret('tokenmesh/bulk/client/certificate')],
  ['bulk', 'secretsmanager:GetSecretValue', secret('tokenmesh/bulk/client/passphrase')],
  ['bulk', 'secretsmanager:GetSecretValue', secret('tokenmesh/trust/servers')],
  ['bulk', 'ec2:DescribeNetworkInterfaces', '*'],
  ['exporter', 'secretsmanager:PutSecretValue', secret('tokenmesh/bulk/client/certificate')],
  ['certificates', 'secretsmanager:GetSecretValue', secret('tokenmesh/bulk/client/certificate')],
  ['loader', 'kms:GenerateDataKey', KEYS.bulk, PART],
  ['loader', 'kms:GenerateDataKey', KEYS.bulk, via('sqs')],
  ['loader', 'sqs:GetQueueAttributes', queue('tokenmesh-bulk-dead')],
  ['loader', 's3:GetObject', `${RESULTS}/loads/one/1.jsonl`],
  ['loader', 's3:ListBucket', RESULTS],
  ['tokenizer', 'kms:Decrypt', KEYS.vault, BRANCH_KEY],
  ['tokenizer', 'kms:Decrypt', KEYS.vault, FINGERPRINT_KEY],
  ['tokenizer', 'kms:GenerateMac', KEYS.audit],
  ['tokenizer', 'dynamodb:BatchWriteItem', table(TABLES.tokens)],
  ['tokenizer', 'dynamodb:BatchGetItem', table(TABLES.tokens)],
  ['tokenizer', 'dynamodb:UpdateItem', table(TABLES.tokens)],
  ['tokenizer', 'dynamodb:Scan', table(TABLES.tokens)],
  ['tokenizer', 'dynamodb:Query', `${table(TABLES.tokens)}/index/by-expiry`],
  ['tokenizer', 'dynamodb:Query', table(TABLES.keys)],
  ['tokenizer', 'dynamodb:GetItem', table(TABLES.keys)],
  ['tokenizer', 'dynamodb:PutItem', table(TABLES.audit)],
  ['tokenizer', 'dynamodb:DescribeTable', table(TABLES.audit)],
  ['tokenizer', 'dynamodb:DeleteItem', table(TABLES.fingerprints)],
  ['tokenizer', 'kms:Decrypt', KEYS.tables, via('dynamodb')],
  ['tokenizer', 'events:PutEvents', bus('tokenmesh')],
  ['order', 'dynamodb:PutItem', table(TABLES.orders)],
  ['order', 'dynamodb:GetItem', table(TABLES.orders)],
  ['paybill', 'dynamodb:GetItem', table(TABLES.orders)],
  ['paybill', 'dynamodb:UpdateItem', table(TABLES.orders), { 'dynamodb:Attributes': ['orderId', 'payment'] }],
  ...['gateway', 'order', 'paybill', 'outsider', 'tokenizer'].flatMap((node): Case[] => [
    [node, 'secretsmanager:GetSecretValue', secret(`tokenmesh/${node}/client/certificate`)],
    [node, 'secretsmanager:GetSecretValue', secret(`tokenmesh/${node}/server/passphrase`)],
    [node, 'secretsmanager:GetSecretValue', secret('tokenmesh/trust/servers')],
    [node, 'secretsmanager:GetSecretValue', secret('tokenmesh/revocation/deny-list')],
    [node, 'secretsmanager:GetSecretValue', secret('tokenmesh/revocation/authorities')],
    [node, 's3:GetObject', `arn:aws:s3:::tokenmesh-crls-${ACCOUNT}-${REGION}/crl/one.crl`],
    [node, 'kms:Decrypt', KEYS.secrets, via('secretsmanager')],
  ]),
  ['exporter', 'acm:ExportCertificate', certificate, OF_MESH],
  ['exporter', 'acm:DescribeCertificate', certificate],
  ['exporter', 'secretsmanager:PutSecretValue', secret('tokenmesh/order/client/passphrase')],
  ['exporter', 'secretsmanager:GetSecretValue', secret('tokenmesh/order/client/certificate')],
  ['exporter', 'kms:GenerateDataKey', KEYS.secrets, via('secretsmanager')],
  ['exporter', 'sqs:SendMessage', `arn:aws:sqs:${REGION}:${ACCOUNT}:tokenmesh-renewal-dead-letters`],
  ['renewal', 'acm:RenewCertificate', certificate, OF_MESH],
  ['renewal', 'acm:ExportCertificate', certificate, OF_MESH],
  ['crl', 'secretsmanager:PutSecretValue', secret('tokenmesh/revocation/deny-list')],
  ['tenant-keys', 'kms:GenerateDataKeyWithoutPlaintext', KEYS.vault, BRANCH_KEY],
  ['tenant-keys', 'kms:ReEncryptTo', KEYS.vault, BRANCH_KEY],
  ['tenant-keys', 'kms:GenerateDataKeyWithoutPlaintext', KEYS.vault, FINGERPRINT_KEY],
  ['tenant-keys', 'dynamodb:PutItem', table(TABLES.keys)],
  ['vault-keys', 'kms:ReEncryptFrom', KEYS.vault, BRANCH_KEY],
  ['vault-keys', 'dynamodb:PutItem', table(TABLES.tokens), { 'dynamodb:LeadingKeys': ['job'] }],
  ['shredder', 'dynamodb:DeleteItem', table(TABLES.keys)],
  ['auditor', 'kms:VerifyMac', KEYS.audit],
  ['auditor', 'dynamodb:Scan', table(TABLES.audit)],
  ['key-administrator', 'kms:PutKeyPolicy', KEYS.vault],
  ['key-administrator', 'kms:ImportKeyMaterial', KEYS.vault],
  ['key-administrator', 'kms:ScheduleKeyDeletion', KEYS.audit],
  ['certificates', 'secretsmanager:PutSecretValue', secret('tokenmesh/revocation/deny-list')],
];

const EVERYBODY = [
  ...['gateway', 'order', 'paybill', 'outsider', 'tokenizer'],
  ...['exporter', 'renewal', 'crl', 'tenant-keys'],
  ...['key-administrator', 'vault-keys', 'shredder', 'auditor', 'certificates'],
];
const NOT_TOKENIZER = EVERYBODY.filter((role) => role !== 'tokenizer');
const USES_OF_A_KEY = ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey', 'kms:CreateGrant'];

const MUST_NOT: readonly Case[] = [
  // Nobody but the tokenizer opens branch keys, and the tokenizer opens nothing else under that key.
  ...NOT_TOKENIZER.map((role): Case => [role, 'kms:Decrypt', KEYS.vault, BRANCH_KEY]),
  ...NOT_TOKENIZER.map((role): Case => [role, 'kms:Decrypt', KEYS.vault, FINGERPRINT_KEY]),
  ['tokenizer', 'kms:Decrypt', KEYS.vault],
  ['tokenizer', 'kms:Decrypt', KEYS.vault, { 'kms:EncryptionContext:tablename': 'another' }],
  ['tokenizer', 'kms:Encrypt', KEYS.vault, BRANCH_KEY],
  ['tokenizer', 'kms:GenerateDataKeyWithoutPlaintext', KEYS.vault, BRANCH_KEY],
  ['tokenizer', 'kms:CreateGrant', KEYS.vault],
  ['tokenizer', 'kms:PutKeyPolicy', KEYS.vault],
  ['tokenizer', 'kms:VerifyMac', KEYS.audit],
  // Who administers keys uses none.
  ...Object.values(KEYS).flatMap((key) =>
    USES_OF_A_KEY.map((action): Case => ['key-administrator', action, key]),
  ),
  ['key-administrator', 'kms:GenerateMac', KEYS.audit],
  ['key-administrator', 'dynamodb:GetItem', table(TABLES.tokens)],
  // Who makes keys opens none, and sees no record.
  ['tenant-keys', 'dynamodb:GetItem', table(TABLES.tokens)],
  ['tenant-keys', 'dynamodb:DeleteItem', table(TABLES.keys)],
  ['vault-keys', 'dynamodb:PutItem', table(TABLES.tokens), { 'dynamodb:LeadingKeys': ['tkn_one'] }],
  ['shredder', 'dynamodb:PutItem', table(TABLES.tokens)],
  ['shredder', 'kms:ReEncryptFrom', KEYS.vault, BRANCH_KEY],
  // What the audit says cannot be changed by whom it is about, nor by who verifies it.
  ...[
    'dynamodb:UpdateItem',
    'dynamodb:DeleteItem',
    'dynamodb:GetItem',
    'dynamodb:Query',
    'dynamodb:Scan',
  ].map((action): Case => ['tokenizer', action, table(TABLES.audit)]),
  ['auditor', 'dynamodb:PutItem', table(TABLES.audit)],
  ['auditor', 'dynamodb:PutItem', table(TABLES.tokens)],
  // Who sends in bulk opens nothing of it; who opens it has nothing of the vault.
  ['loader', 'kms:Decrypt', KEYS.bulk, PART],
  ['loader', 'sqs:ReceiveMessage', queue('tokenmesh-bulk')],
  ['loader', 'sqs:ReceiveMessage', queue('tokenmesh-bulk-dead')],
  ['loader', 's3:PutObject', `${RESULTS}/loads/one/1.jsonl`],
  ['loader', 'secretsmanager:GetSecretValue', secret('tokenmesh/bulk/client/certificate')],
  ['bulk', 'kms:Decrypt', KEYS.bulk],
  ['bulk', 'kms:Decrypt', KEYS.bulk, { 'kms:EncryptionContext:purpose': 'another' }],
  ['bulk', 'kms:GenerateDataKey', KEYS.bulk, PART],
  ['bulk', 'kms:Decrypt', KEYS.vault, BRANCH_KEY],
  ['bulk', 'dynamodb:GetItem', table(TABLES.tokens)],
  ['bulk', 'dynamodb:GetItem', table(TABLES.keys)],
  ['bulk', 'secretsmanager:GetSecretValue', secret('tokenmesh/order/client/certificate')],
  ['bulk', 'secretsmanager:PutSecretValue', secret('tokenmesh/bulk/client/certificate')],
  ['bulk', 'sqs:SendMessage', queue('tokenmesh-bulk')],
  ['bulk', 's3:DeleteObject', `${RESULTS}/loads/one/1.jsonl`],
  ['bulk', 's3:PutObject', `${RESULTS}/another`],
  ['tokenizer', 'kms:Decrypt', KEYS.bulk, PART],
  ['order', 'sqs:SendMessage', queue('tokenmesh-bulk')],
  ['order', 's3:GetObject', `${RESULTS}/loads/one/1.jsonl`],
  // Apps: no table of the vault, no key of it.
  ...['order', 'paybill', 'gateway', 'outsider'].flatMap((node) =>
    [TABLES.tokens, TABLES.keys, TABLES.audit, TABLES.fingerprints].map((name): Case => [
      node,
      'dynamodb:GetItem',
      table(name),
    ]),
  ),
  ['tokenizer', 'events:PutEvents', bus('default')],
  ['order', 'events:PutEvents', bus('tokenmesh')],
  ['tokenizer', 'dynamodb:GetItem', table(TABLES.orders)],
  ['tokenizer', 'dynamodb:PutItem', table(TABLES.keys)],
  ['order', 'dynamodb:UpdateItem', table(TABLES.orders)],
  ['order', 'dynamodb:DeleteItem', table(TABLES.orders)],
  ['paybill', 'dynamodb:PutItem', table(TABLES.orders)],
  ['paybill', 'dynamodb:UpdateItem', table(TABLES.orders), { 'dynamodb:Attributes': ['orderId', 'token'] }],
  ['outsider', 'dynamodb:GetItem', table(TABLES.orders)],
  // A key is used through its store, and never by itself.
  ['order', 'kms:Decrypt', KEYS.tables],
  ['order', 'kms:Decrypt', KEYS.secrets],
  ['order', 'kms:Decrypt', KEYS.secrets, via('dynamodb')],
  ['gateway', 'kms:Decrypt', KEYS.tables, via('dynamodb')],
  // A node reads its own secrets and nobody else's, and writes none.
  ['order', 'secretsmanager:GetSecretValue', secret('tokenmesh/paybill/client/certificate')],
  ['outsider', 'secretsmanager:GetSecretValue', secret('tokenmesh/order/client/passphrase')],
  ['order', 'secretsmanager:PutSecretValue', secret('tokenmesh/order/client/certificate')],
  ['order', 'secretsmanager:PutSecretValue', secret('tokenmesh/revocation/deny-list')],
  ['order', 'secretsmanager:GetSecretValue', secret('another/secret')],
  // Functions: what is theirs, of this mesh alone.
  ['exporter', 'secretsmanager:GetSecretValue', secret('tokenmesh/order/client/passphrase')],
  ['exporter', 'secretsmanager:GetSecretValue', secret('another/secret')],
  ['exporter', 'secretsmanager:PutSecretValue', secret('tokenmesh/trust/clients')],
  ['exporter', 'secretsmanager:PutSecretValue', secret('tokenmesh/revocation/deny-list')],
  ['exporter', 'acm:ExportCertificate', certificate],
  ['exporter', 'acm:ExportCertificate', certificate, { 'aws:ResourceTag/tokenmesh:mesh': 'another' }],
  ['exporter', 'acm:RenewCertificate', certificate, OF_MESH],
  ['exporter', 'acm:DeleteCertificate', certificate, OF_MESH],
  ['renewal', 'acm:RenewCertificate', certificate],
  ['renewal', 'secretsmanager:GetSecretValue', secret('tokenmesh/order/server/passphrase')],
  ['crl', 'secretsmanager:PutSecretValue', secret('tokenmesh/order/client/certificate')],
  ['certificates', 'acm:ExportCertificate', certificate, OF_MESH],
  ['certificates', 'secretsmanager:GetSecretValue', secret('tokenmesh/order/client/passphrase')],
];

/** Lambda takes no narrower resource for these; the function's own code is denied them. */
const INTERFACES = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:UnassignPrivateIpAddresses',
];

const title = ([role, action, resource, context = {}]: Case): string =>
  [role, action, resource.split(':').slice(5).join(':'), JSON.stringify(context)].join(' ');

describe('the rights that are synthesized', () => {
  it.each(MUST.map((each) => [title(each), each] as const))('let %s', async (_title, each) => {
    expect(await isAllowed(...each)).toBe(true);
  });

  it.each(MUST_NOT.map((each) => [title(each), each] as const))('refuse %s', async (_title, each) => {
    expect(await isAllowed(...each)).toBe(false);
  });

  it('let a node in short-lived mode have certificates signed by its two CAs, each for its own side', async () => {
    const cas = made.ofType('AWS::ACMPCA::CertificateAuthority');
    const short = cas.filter(({ properties }) => properties.UsageMode === 'SHORT_LIVED_CERTIFICATE');
    expect(short).toHaveLength(2);
    const arnOf = (hierarchy: string, id = 'shortlived'): string =>
      `arn:aws:acm-pca:${REGION}:${ACCOUNT}:certificate-authority/${cas.find((ca) => ca.id.startsWith(`${hierarchy}${id}`))?.id}`;
    const as = (side: string): Context => ({
      'acm-pca:TemplateArn': `arn:aws:acm-pca:::template/EndEntity${side}AuthCertificate/V1`,
    });
    const issue = 'acm-pca:IssueCertificate';
    expect(await isAllowed('order', issue, arnOf('clients'), as('Client'))).toBe(true);
    expect(await isAllowed('order', issue, arnOf('servers'), as('Server'))).toBe(true);
    expect(await isAllowed('order', issue, arnOf('clients'), as('Server'))).toBe(false);
    expect(await isAllowed('order', issue, arnOf('clients'))).toBe(false);
    expect(await isAllowed('order', issue, arnOf('clients', 'issuing'), as('Client'))).toBe(false);
    expect(await isAllowed('gateway', issue, arnOf('clients'), as('Client'))).toBe(false);
  });

  it('name each right for itself: no action with a wildcard', () => {
    const statements = made
      .ofType('AWS::IAM::ManagedPolicy')
      .flatMap(({ properties }) => properties.PolicyDocument.Statement);
    expect(statements.length).toBeGreaterThan(40);
    const actions = statements.flatMap((each: { Action: string | string[] }) => [each.Action].flat());
    expect(actions.filter((action: string) => action.includes('*'))).toEqual([]);
  });

  it('name every resource, but where AWS knows none', () => {
    const open = [...made.resources, ...exported.resources]
      .filter(({ type }) => type === 'AWS::IAM::ManagedPolicy' || type === 'AWS::IAM::Policy')
      .flatMap(({ properties }) => properties.PolicyDocument.Statement)
      .filter((each: { Resource: string | string[] }) => [each.Resource].flat().includes('*'))
      .flatMap((each: { Action: string | string[] }) => [each.Action].flat());
    expect([...new Set(open)].toSorted()).toEqual([
      'acm:ListCertificates',
      ...INTERFACES,
      'ecr:GetAuthorizationToken',
      'secretsmanager:GetRandomPassword',
    ]);
  });

  it('let nobody be a principal whom the policy does not name, but at endpoints, which tell accounts apart but for images', () => {
    const isOpen = (statement: { Principal?: unknown; Effect: string; Condition?: unknown }): boolean => {
      const { Principal: principal, Effect } = statement;
      const named =
        typeof principal === 'object' && principal !== null ? Object.values(principal).flat() : [principal];
      return Effect === 'Allow' && named.includes('*');
    };
    const documents = made.resources.flatMap(({ type, properties }) =>
      [properties.KeyPolicy, properties.PolicyDocument, properties.AssumeRolePolicyDocument]
        .filter((document) => typeof document === 'object' && document !== null)
        .map((document) => ({ type, statements: document.Statement })),
    );
    const open = documents.flatMap(({ type, statements }) =>
      statements.filter(isOpen).map((each: object) => ({ type, ...each })),
    );
    expect(new Set(open.map(({ type }) => type))).toEqual(new Set(['AWS::EC2::VPCEndpoint']));
    const ofThisAccount = { StringEquals: { 'aws:PrincipalAccount': ACCOUNT } };
    const [layers, ...others] = open.toSorted(
      (one, other) => Number(one.Condition !== undefined) - Number(other.Condition !== undefined),
    );
    // ECR's own account signs for them: with a condition no task would get its image.
    expect(layers).toMatchObject({
      Action: 's3:GetObject',
      Resource: `arn:aws:s3:::prod-${REGION}-starport-layer-bucket/*`,
    });
    for (const { Condition } of others) expect(Condition).toEqual(ofThisAccount);
  });
});
