/**
 * What the programs of a node may do in AWS: what their adapters say that they need, on what is theirs.
 *
 * @module
 */

import type { Stack } from 'aws-cdk-lib';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Mesh } from '../../mesh/definition.ts';
import { TABLES } from '../../sidecar/tables.ts';
import type { Deployment } from '../config.ts';
import {
  authoritiesArn,
  crlObjectsArn,
  denyListArn,
  eventBusArn,
  expiryIndexArn,
  memberSecretArns,
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
  /** Of what is sent and tokenized in bulk. */
  readonly bulk: string;
  /** Of the database, where the orders are in one. */
  readonly orders?: string;
  /** Asymmetric: of what is encrypted at the edge, the newest first. */
  readonly marks: readonly string[];
}

export function allKeyArns(keys: KeyArns): string[] {
  return Object.values(keys as unknown as Record<string, string | readonly string[]>).flat();
}

export interface NodeRightsProps {
  readonly mesh: Mesh;
  readonly keys: KeyArns;
  readonly orderStore: Deployment['orderStore'];
}

/**
 * The sidecar and the app run under one role: a task has no other. Where the orders are in a database, its stack
 * adds the right to connect.
 */
export function nodeRights(stack: Stack, nodeName: string, props: NodeRightsProps): PolicyStatement[] {
  const { mesh, keys, orderStore } = props;
  const isOfOrders = nodeName in ORDER_RIGHTS;
  const rights = isOfOrders && orderStore === 'mysql' ? undefined : APP_RIGHTS[nodeName];
  return [...sidecarRights(stack, mesh, nodeName, keys), ...(rights?.(stack, keys) ?? [])];
}

function sidecarRights(stack: Stack, mesh: Mesh, nodeName: string, keys: KeyArns): PolicyStatement[] {
  return [
    allow(
      'ReadOwnCertificatesAndTrust',
      ['secretsmanager:GetSecretValue'],
      [
        ...memberSecretArns(stack, mesh, nodeName),
        ...trustSecretArns(stack, mesh),
        denyListArn(stack, mesh),
        authoritiesArn(stack, mesh),
      ],
    ),
    allow('OpenSecrets', ['kms:Decrypt'], [keys.secrets], viaService(stack, 'secretsmanager')),
    allow('ReadRevocationLists', ['s3:GetObject'], [crlObjectsArn(stack, mesh)]),
  ];
}

type Rights = (stack: Stack, keys: KeyArns) => PolicyStatement[];

/** On the orders' table. */
const ORDER_RIGHTS: Readonly<Record<string, Rights>> = {
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
};

const APP_RIGHTS: Readonly<Record<string, Rights>> = { ...ORDER_RIGHTS, tokenizer: tokenizerRights };

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
    ...(keys.marks.length === 0 ? [] : [allow('OpenMarks', ['kms:Decrypt'], keys.marks, MARKS_ALONE)]),
  ];
}

/** The Encryption SDK binds a branch key to the table that it is kept in. */
export const BRANCH_KEYS_ALONE = { StringEquals: { 'kms:EncryptionContext:tablename': TABLES.keys } };

export const FINGERPRINT_KEYS_ALONE = {
  StringEquals: { 'kms:EncryptionContext:purpose': 'tokenmesh fingerprints' },
};

/** As the edge encrypts (`edge/seal-value.ts`). */
export const MARKS_ALONE = { StringEquals: { 'kms:EncryptionAlgorithm': 'RSAES_OAEP_SHA_256' } };

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

export function viaService(stack: Stack, ...services: string[]) {
  const names = services.map((service) => `${service}.${stack.region}.amazonaws.com`);
  return { StringEquals: { 'kms:ViaService': names.length === 1 ? names[0] : names } };
}
