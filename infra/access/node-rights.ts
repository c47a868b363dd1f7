/**
 * What the programs of a node may do in AWS: what their adapters say that they need, on what is theirs.
 *
 * @module
 */

import type { Stack } from 'aws-cdk-lib';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Mesh } from '../../mesh/definition.ts';
import { TABLES } from '../../sidecar/tables.ts';
import {
  authoritiesArn,
  crlObjectsArn,
  denyListArn,
  eventBusArn,
  expiryIndexArn,
  nodeSecretArns,
  tableArn,
  trustSecretArns,
} from './arns.ts';
import { allow } from './statements.ts';

export interface KeyArns {
  readonly vault: string;
  readonly audit: string;
  readonly tables: string;
  readonly secrets: string;
  readonly operations: string;
}

/** The sidecar and the app run under one role: a task has no other. */
export function nodeRights(stack: Stack, mesh: Mesh, nodeName: string, keys: KeyArns): PolicyStatement[] {
  return [...sidecarRights(stack, mesh, nodeName, keys), ...(APP_RIGHTS[nodeName]?.(stack, keys) ?? [])];
}

function sidecarRights(stack: Stack, mesh: Mesh, nodeName: string, keys: KeyArns): PolicyStatement[] {
  return [
    allow(
      'ReadOwnCertificatesAndTrust',
      ['secretsmanager:GetSecretValue'],
      [
        ...nodeSecretArns(stack, mesh, nodeName),
        ...trustSecretArns(stack, mesh),
        denyListArn(stack, mesh),
        authoritiesArn(stack, mesh),
      ],
    ),
    allow('OpenSecrets', ['kms:Decrypt'], [keys.secrets], viaService(stack, 'secretsmanager')),
    allow('ReadRevocationLists', ['s3:GetObject'], [crlObjectsArn(stack, mesh)]),
  ];
}

const APP_RIGHTS: Readonly<Record<string, (stack: Stack, keys: KeyArns) => PolicyStatement[]>> = {
  order: (stack, keys) => [
    allow('WriteAndReadOrders', ['dynamodb:PutItem', 'dynamodb:GetItem'], [tableArn(stack, 'orders')]),
    useTables(stack, keys),
  ],
  paybill: (stack, keys) => [
    allow('ReadOrders', ['dynamodb:GetItem'], [tableArn(stack, 'orders')]),
    allow('SettlePayments', ['dynamodb:UpdateItem'], [tableArn(stack, 'orders')], {
      'ForAllValues:StringEquals': { 'dynamodb:Attributes': ['orderId', 'payment'] },
    }),
    useTables(stack, keys),
  ],
  tokenizer: tokenizerRights,
};

function tokenizerRights(stack: Stack, keys: KeyArns): PolicyStatement[] {
  return [
    allow(
      'ServeTokens',
      [
        'dynamodb:GetItem',
        'dynamodb:BatchGetItem',
        'dynamodb:PutItem',
        'dynamodb:BatchWriteItem',
        'dynamodb:UpdateItem',
        'dynamodb:DeleteItem',
        'dynamodb:Query',
        'dynamodb:Scan',
      ],
      [tableArn(stack, 'tokens')],
    ),
    allow('FindWhatExpired', ['dynamodb:Query'], [expiryIndexArn(stack)]),
    allow(
      'IndexFingerprints',
      [
        'dynamodb:GetItem',
        'dynamodb:Query',
        'dynamodb:PutItem',
        'dynamodb:BatchWriteItem',
        'dynamodb:DeleteItem',
      ],
      [tableArn(stack, 'fingerprints')],
    ),
    allow('ReadBranchKeys', ['dynamodb:GetItem', 'dynamodb:Query'], [tableArn(stack, 'keys')]),
    allow('WriteAudit', ['dynamodb:PutItem', 'dynamodb:DescribeTable'], [tableArn(stack, 'audit')]),
    useTables(stack, keys),
    allow('OpenBranchKeys', ['kms:Decrypt'], [keys.vault], BRANCH_KEYS_ALONE),
    allow('OpenFingerprintKeys', ['kms:Decrypt'], [keys.vault], FINGERPRINT_KEYS_ALONE),
    allow('TellLifeEvents', ['events:PutEvents'], [eventBusArn(stack)]),
    allow('SealAudit', ['kms:GenerateMac'], [keys.audit]),
  ];
}

/** The Encryption SDK binds a branch key to the table that it is kept in. */
export const BRANCH_KEYS_ALONE = { StringEquals: { 'kms:EncryptionContext:tablename': TABLES.keys } };

export const FINGERPRINT_KEYS_ALONE = {
  StringEquals: { 'kms:EncryptionContext:purpose': 'tokenmesh fingerprints' },
};

/** DynamoDB uses its tables' key in the name of the caller. */
export function useTables(stack: Stack, keys: Pick<KeyArns, 'tables'>): PolicyStatement {
  return allow('UseTablesKey', TABLE_KEY_ACTIONS, [keys.tables], viaService(stack, 'dynamodb'));
}

/** Of whoever uses a key through a service that stores. Amazon DynamoDB Developer Guide, "Encryption at rest: usage notes"; grants are for who makes a table. */
export const TABLE_KEY_ACTIONS = [
  'kms:Decrypt',
  'kms:DescribeKey',
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
];

export function viaService(stack: Stack, service: string) {
  return { StringEquals: { 'kms:ViaService': `${service}.${stack.region}.amazonaws.com` } };
}
