/**
 * The roles of people. Each may do one thing; nobody who administers keys can open what is under them.
 *
 * @module
 */

import type { Stack } from 'aws-cdk-lib';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Mesh } from '../../mesh/definition.ts';
import { OWNER_TAG_KEYS } from '../../pki/certificate-owner.ts';
import { ROTATION_REQUESTED } from '../../renewal/event.ts';
import {
  bulkQueueArns,
  bulkResultsArns,
  certificateArns,
  denyListArn,
  everySecretArn,
  tableArn,
} from './arns.ts';
import { PARTS_ALONE, tenantKeyRights } from './function-rights.ts';
import { allKeyArns, useTables, viaService, type KeyArns } from './node-rights.ts';
import { allow, onPartitions } from './statements.ts';

export type OperatorRole =
  | 'key-administrator'
  | 'vault-keys'
  | 'shredder'
  | 'auditor'
  | 'certificates'
  | 'loader';

export const OPERATOR_ROLES: Readonly<Record<OperatorRole, string>> = {
  'key-administrator': 'administers the KMS keys; can use none of them',
  'vault-keys': 'makes and rotates branch keys, asks for rewraps, counts; can open nothing',
  shredder: 'destroys branch keys; can open nothing',
  auditor: 'verifies the audit; can open nothing',
  certificates: 'rotates and revokes certificates',
  loader: 'sends records to be tokenized in bulk, and reads the tokens; can open nothing',
};

export function operatorRights(
  stack: Stack,
  mesh: Mesh,
  role: OperatorRole,
  keys: KeyArns,
): PolicyStatement[] {
  return RIGHTS[role](stack, mesh, keys);
}

/**
 * What administers a key. Without `CreateGrant`, which would let somebody else use it, and without any
 * action that uses it.
 */
export const ADMINISTERING_ACTIONS = [
  'kms:CancelKeyDeletion',
  'kms:CreateAlias',
  'kms:DeleteAlias',
  'kms:DescribeKey',
  'kms:DisableKey',
  'kms:DisableKeyRotation',
  'kms:EnableKey',
  'kms:EnableKeyRotation',
  'kms:GetKeyPolicy',
  'kms:GetKeyRotationStatus',
  'kms:GetParametersForImport',
  'kms:GetPublicKey',
  'kms:ImportKeyMaterial',
  'kms:ListGrants',
  'kms:ListKeyPolicies',
  'kms:ListKeyRotations',
  'kms:ListResourceTags',
  'kms:PutKeyPolicy',
  'kms:ReplicateKey',
  'kms:RevokeGrant',
  'kms:RotateKeyOnDemand',
  'kms:ScheduleKeyDeletion',
  'kms:TagResource',
  'kms:UntagResource',
  'kms:UpdateAlias',
  'kms:UpdateKeyDescription',
  'kms:UpdatePrimaryRegion',
];

const RIGHTS: Readonly<Record<OperatorRole, (stack: Stack, mesh: Mesh, keys: KeyArns) => PolicyStatement[]>> =
  {
    'key-administrator': (_stack, _mesh, keys) => [
      allow('AdministerKeys', ADMINISTERING_ACTIONS, allKeyArns(keys)),
    ],
    'vault-keys': (stack, mesh, keys) => [
      ...tenantKeyRights(stack, mesh, keys),
      allow('CountKeys', ['dynamodb:Scan'], [tableArn(stack, 'keys')]),
      allow('CountMessages', ['dynamodb:Scan'], [tableArn(stack, 'tokens')]),
      allow(
        'AskForRewraps',
        ['dynamodb:GetItem', 'dynamodb:PutItem'],
        [tableArn(stack, 'tokens')],
        onPartitions('job'),
      ),
    ],
    shredder: (stack, _mesh, keys) => [
      allow(
        'DestroyBranchKeys',
        ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:Scan', 'dynamodb:PutItem', 'dynamodb:DeleteItem'],
        [tableArn(stack, 'keys')],
      ),
      allow('CountMessages', ['dynamodb:Scan'], [tableArn(stack, 'tokens')]),
      useTables(stack, keys),
    ],
    auditor: (stack, _mesh, keys) => [
      allow('ReadAudit', ['dynamodb:Query', 'dynamodb:Scan'], [tableArn(stack, 'audit')]),
      allow('ReadRows', ['dynamodb:Query', 'dynamodb:Scan', 'dynamodb:GetItem'], [tableArn(stack, 'tokens')]),
      useTables(stack, keys),
      allow('VerifySeals', ['kms:GenerateMac', 'kms:VerifyMac'], [keys.audit]),
    ],
    certificates: (stack, mesh, keys) => [
      allow(
        'AskForRotation',
        ['events:PutEvents'],
        [stack.formatArn({ service: 'events', resource: 'event-bus', resourceName: 'default' })],
        { StringEquals: { 'events:source': ROTATION_REQUESTED.source } },
      ),
      allow(
        'ReadCertificates',
        ['acm:DescribeCertificate', 'acm:ListTagsForCertificate'],
        [certificateArns(stack)],
        { StringEquals: { [`aws:ResourceTag/${OWNER_TAG_KEYS.mesh}`]: mesh.name } },
      ),
      allow('ReadSerials', ['secretsmanager:GetSecretValue'], everySecretArn(stack, mesh, ['certificate'])),
      allow(
        'DenySerials',
        ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
        [denyListArn(stack, mesh)],
      ),
      allow(
        'SealSecrets',
        ['kms:GenerateDataKey', 'kms:Decrypt'],
        [keys.secrets],
        viaService(stack, 'secretsmanager'),
      ),
      allow(
        'RevokeAtCas',
        ['acm-pca:RevokeCertificate'],
        [stack.formatArn({ service: 'acm-pca', resource: 'certificate-authority', resourceName: '*' })],
        { StringEquals: { [`aws:ResourceTag/${OWNER_TAG_KEYS.mesh}`]: mesh.name } },
      ),
    ],
    loader: (stack, mesh, keys) => {
      const results = bulkResultsArns(stack, mesh);
      return [
        allow('SealParts', ['kms:GenerateDataKey'], [keys.bulk], PARTS_ALONE),
        allow('SendParts', ['sqs:SendMessage'], bulkQueueArns(stack, mesh, 'parts')),
        allow('CountDeadLetters', ['sqs:GetQueueAttributes'], bulkQueueArns(stack, mesh, 'dead')),
        // SQS opens the data key that it holds for a queue before it takes a message.
        allow('UseQueues', ['kms:GenerateDataKey', 'kms:Decrypt'], [keys.bulk], viaService(stack, 'sqs')),
        allow('ReadResults', ['s3:GetObject'], [results.objects]),
        allow('ListResults', ['s3:ListBucket'], [results.bucket]),
        allow('OpenResults', ['kms:Decrypt'], [keys.bulk], viaService(stack, 's3')),
      ];
    },
  };
