/**
 * The shape of each option of a vault, and in `expected` the words in which a problem with it is told.
 *
 * @module
 */

import { Type, type TSchema } from '@sinclair/typebox';
import { LABEL } from '../../mesh/mesh-problem.ts';
import { VAULT_OPERATIONS } from '../../mesh/vault-rates.ts';
import { KMS_KEY_ARN, KMS_KEY_ID, TABLE_NAME } from './config.ts';
import { FIELD_CLASS_NAMES } from './core/field-class.ts';
import { REGION_CODE } from './core/formats/region.ts';

/** Begins the id of a policy, which is short and plain. */
const CALLER_NAME = /^[a-z0-9][a-z0-9.-]{0,63}$/;
export const NAME_SHAPE = 'lower-case letters, digits, dots and hyphens';
const PURPOSE = /^[\w.-]{1,64}$/;

const closed = { additionalProperties: false };

function text(pattern: RegExp, expected: string): TSchema {
  return Type.String({ pattern: pattern.source, expected });
}

function oneOf(names: readonly string[]): TSchema {
  return text(new RegExp(`^(?:${names.join('|')})$`), `one of ${names.join(', ')}`);
}

function listOf(item: TSchema, expected: string): TSchema {
  return Type.Array(item, { minItems: 1, expected });
}

const Purposes = listOf(text(PURPOSE, 'a purpose of letters, digits, dots and hyphens'), 'purposes');
const TableName = Type.Optional(text(TABLE_NAME, "a table's name"));
const Function = Type.Optional(Type.Function([], Type.Any(), { expected: 'a function' }));

const Grant = Type.Object(
  {
    operation: oneOf(VAULT_OPERATIONS),
    classes: Type.Union([Type.Literal('*'), listOf(oneOf(FIELD_CLASS_NAMES), 'field classes')], {
      expected: `"*" or some of ${FIELD_CLASS_NAMES.join(', ')}`,
    }),
    plainFor: Type.Optional(Purposes),
    smallFormats: Type.Optional(Type.Literal(true, { expected: 'true, or nothing' })),
  },
  { ...closed, expected: 'a grant' },
);

const Access = Type.Object(
  {
    tenants: listOf(text(LABEL, 'a DNS label'), 'one tenant or more'),
    defaultPurpose: Type.Optional(text(PURPOSE, 'a purpose')),
    grants: Type.Array(Grant, { expected: 'a list of grants' }),
  },
  { ...closed, expected: 'tenants and grants' },
);

export const OptionsSchema = Type.Object(
  {
    kmsKeyArn: text(KMS_KEY_ARN, 'the ARN of a KMS key'),
    callers: Type.Record(Type.String({ pattern: CALLER_NAME.source }), Access, {
      ...closed,
      minProperties: 1,
      expected: `one caller or more, named in ${NAME_SHAPE}`,
    }),
    policies: Type.Optional(
      Type.Array(Type.Object({ name: Type.String(), text: Type.String() }, closed), {
        expected: 'policies, each with its name and its text',
      }),
    ),
    tokensTableName: TableName,
    keysTableName: TableName,
    audit: Type.Optional(oneOf(['sealed', 'off'])),
    auditTableName: TableName,
    auditKeyId: Type.Optional(text(KMS_KEY_ID, 'the alias, id or ARN of a KMS key')),
    auditIdentity: Type.Optional(text(CALLER_NAME, `a name of ${NAME_SHAPE}`)),
    regionCode: Type.Optional(text(REGION_CODE, 'two to four capitals')),
    clients: Type.Optional(Type.Unknown()),
    now: Function,
    randomBytes: Function,
    onFault: Function,
  },
  { ...closed, expected: 'an object of options' },
);

export const AUDIT_OPTIONS = ['tokensTableName', 'auditTableName', 'auditKeyId', 'clients'] as const;

/** What the audit alone needs of them. */
export const AuditSchema = Type.Pick(OptionsSchema, AUDIT_OPTIONS, {
  ...closed,
  expected: 'an object of options',
});
