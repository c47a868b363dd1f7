/**
 * What the functions may do: what their adapters say that they need.
 *
 * Of ACM they may touch what bears the mesh's tag, whichever it is: a certificate that replaces another has
 * another ARN.
 *
 * @module
 */

import { ArnFormat, type Stack } from 'aws-cdk-lib';
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Mesh } from '../../mesh/definition.ts';
import { OWNER_TAG_KEYS } from '../../pki/certificate-owner.ts';
import { PURPOSE } from '../../queue/part.ts';
import { TABLES } from '../../sidecar/tables.ts';
import {
  certificateArns,
  deadLetterQueueName,
  denyListArn,
  bulkQueueArns,
  bulkResultsArns,
  everySecretArn,
  functionLogGroup,
  functionName,
  logGroupArn,
  memberSecretArns,
  tableArn,
  trustSecretArn,
  type CertificateFunction,
  type FunctionName,
} from './arns.ts';
import { useTables, viaService, type KeyArns } from './node-rights.ts';
import { allow } from './statements.ts';

export function functionRights(
  stack: Stack,
  mesh: Mesh,
  name: FunctionName,
  keys: KeyArns,
): PolicyStatement[] {
  return [
    allow(
      'WriteLog',
      ['logs:CreateLogStream', 'logs:PutLogEvents'],
      [logGroupArn(stack, functionLogGroup(mesh, name))],
    ),
    ...(STARTED_BY_EVENTS.has(name) ? keepWhatFailed(stack, mesh, keys) : []),
    ...RIGHTS[name](stack, mesh, keys),
  ];
}

const STARTED_BY_EVENTS: ReadonlySet<FunctionName> = new Set<CertificateFunction>([
  'exporter',
  'renewal',
  'crl',
]);

const RIGHTS: Readonly<Record<FunctionName, (stack: Stack, mesh: Mesh, keys: KeyArns) => PolicyStatement[]>> =
  {
    exporter: exportRights,
    renewal: (stack, mesh, keys) => [
      ...exportRights(stack, mesh, keys),
      allow('RenewCertificates', ['acm:RenewCertificate'], [certificateArns(stack)], ofMesh(mesh)),
      // ACM lists for all or for nobody.
      allow('ListCertificates', ['acm:ListCertificates'], ['*']),
    ],
    crl: (stack, mesh, keys) => [
      allow(
        'AnnounceCrls',
        ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
        [denyListArn(stack, mesh)],
      ),
      writeSecrets(stack, keys),
    ],
    'tenant-keys': tenantKeyRights,
    bulk: bulkRights,
    // What it reads is named by the database, whose stack adds the right.
    migrations: (stack, mesh) => connectToNetwork(stack, mesh, 'migrations'),
  };

function exportRights(stack: Stack, mesh: Mesh, keys: KeyArns): PolicyStatement[] {
  return [
    // ACM tells of every certificate of the account: whether one is the mesh's, its tags say.
    allow(
      'LookAtCertificates',
      ['acm:DescribeCertificate', 'acm:ListTagsForCertificate'],
      [certificateArns(stack)],
    ),
    allow('ExportCertificates', ['acm:ExportCertificate'], [certificateArns(stack)], ofMesh(mesh)),
    // It makes a text and touches no secret: IAM knows no resource for it.
    allow('MakePassphrases', ['secretsmanager:GetRandomPassword'], ['*']),
    allow(
      'PublishSecrets',
      ['secretsmanager:PutSecretValue', 'secretsmanager:DescribeSecret'],
      everySecretArn(stack, mesh, ['certificate', 'passphrase']),
    ),
    allow(
      'ReadPublishedCertificates',
      ['secretsmanager:GetSecretValue'],
      everySecretArn(stack, mesh, ['certificate']),
    ),
    writeSecrets(stack, keys),
  ];
}

/** Lambda puts what a function could not do into a queue, in the name of its role. */
function keepWhatFailed(stack: Stack, mesh: Mesh, keys: KeyArns): PolicyStatement[] {
  const queue = stack.formatArn({ service: 'sqs', resource: deadLetterQueueName(mesh) });
  return [
    allow('KeepWhatFailed', ['sqs:SendMessage'], [queue]),
    allow(
      'SealWhatFailed',
      ['kms:GenerateDataKey', 'kms:Decrypt'],
      [keys.operations],
      viaService(stack, 'sqs'),
    ),
  ];
}

function writeSecrets(stack: Stack, keys: KeyArns): PolicyStatement {
  return allow(
    'SealSecrets',
    ['kms:GenerateDataKey', 'kms:Decrypt'],
    [keys.secrets],
    viaService(stack, 'secretsmanager'),
  );
}

/** It opens what was sent, and nothing of the vault: of that, the tokenizer alone knows. */
function bulkRights(stack: Stack, mesh: Mesh, keys: KeyArns): PolicyStatement[] {
  const results = bulkResultsArns(stack, mesh);
  return [
    allow(
      'TakeParts',
      ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
      bulkQueueArns(stack, mesh, 'parts'),
    ),
    allow('OpenParts', ['kms:Decrypt'], [keys.bulk], PARTS_ALONE),
    allow('OpenQueues', ['kms:Decrypt'], [keys.bulk], viaService(stack, 'sqs')),
    allow('WriteResults', ['s3:GetObject', 's3:PutObject'], [results.objects]),
    // Without it a result that is not there would be refused, not missing.
    allow('FindResults', ['s3:ListBucket'], [results.bucket]),
    allow('SealResults', ['kms:GenerateDataKey', 'kms:Decrypt'], [keys.bulk], viaService(stack, 's3')),
    allow(
      'ReadOwnCertificateAndTrust',
      ['secretsmanager:GetSecretValue'],
      [...memberSecretArns(stack, mesh, 'bulk'), trustSecretArn(stack, mesh, 'servers')],
    ),
    allow('OpenSecrets', ['kms:Decrypt'], [keys.secrets], viaService(stack, 'secretsmanager')),
    ...connectToNetwork(stack, mesh, 'bulk'),
  ];
}

/** What the Encryption SDK binds a part to (`queue/part.ts`). */
export const PARTS_ALONE = { StringEquals: { 'kms:EncryptionContext:purpose': PURPOSE } };

/**
 * Lambda makes the interfaces of a function in a VPC in the name of its role, and takes no narrower resource; the
 * code of the function itself may make none (AWS Lambda Developer Guide, "Giving Lambda functions access to resources in
 * an Amazon VPC").
 */
function connectToNetwork(stack: Stack, mesh: Mesh, name: FunctionName): PolicyStatement[] {
  const ofItself = stack.formatArn({
    service: 'lambda',
    resource: 'function',
    resourceName: functionName(mesh, name),
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  const refused = new PolicyStatement({
    sid: 'NotByItsCode',
    effect: Effect.DENY,
    actions: INTERFACE_ACTIONS,
    resources: ['*'],
    conditions: { ArnEquals: { 'lambda:SourceFunctionArn': ofItself } },
  });
  return [allow('ConnectToNetwork', INTERFACE_ACTIONS, ['*']), refused];
}

const INTERFACE_ACTIONS = [
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/** Makes what is wrapped by the vault's key, and cannot unwrap it. */
export function tenantKeyRights(stack: Stack, _mesh: Mesh, keys: KeyArns): PolicyStatement[] {
  return [
    allow(
      'KeepBranchKeys',
      ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:PutItem'],
      [tableArn(stack, 'keys')],
    ),
    useTables(stack, keys),
    allow('WrapBranchKeys', WRAPPING_ACTIONS, [keys.vault], WRAPS_BRANCH_KEYS_ALONE),
    allow('WrapFingerprintKeys', ['kms:GenerateDataKeyWithoutPlaintext'], [keys.vault], {
      StringEquals: { 'kms:EncryptionContext:purpose': 'tokenmesh fingerprints' },
    }),
  ];
}

export const WRAPPING_ACTIONS = [
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
];

const WRAPS_BRANCH_KEYS_ALONE = { StringEquals: { 'kms:EncryptionContext:tablename': TABLES.keys } };

function ofMesh(mesh: Mesh) {
  return { StringEquals: { [`aws:ResourceTag/${OWNER_TAG_KEYS.mesh}`]: mesh.name } };
}
