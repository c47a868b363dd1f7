/**
 * What the functions may do: what their adapters say that they need.
 *
 * Of ACM they may touch what bears the mesh's tag, whichever it is: a certificate that replaces another has
 * another ARN.
 *
 * @module
 */

import type { Stack } from 'aws-cdk-lib';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Mesh } from '../../mesh/definition.ts';
import { OWNER_TAG_KEYS } from '../../pki/certificate-owner.ts';
import { TABLES } from '../../sidecar/tables.ts';
import {
  certificateArns,
  deadLetterQueueName,
  denyListArn,
  everyNodeSecretArn,
  functionLogGroup,
  logGroupArn,
  tableArn,
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
    ...(name === 'tenant-keys' ? [] : keepWhatFailed(stack, mesh, keys)),
    ...RIGHTS[name](stack, mesh, keys),
  ];
}

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
      everyNodeSecretArn(stack, mesh, ['certificate', 'passphrase']),
    ),
    allow(
      'ReadPublishedCertificates',
      ['secretsmanager:GetSecretValue'],
      everyNodeSecretArn(stack, mesh, ['certificate']),
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
