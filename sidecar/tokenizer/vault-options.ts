/**
 * What a vault in one's own process is told: which options there are, and which are taken.
 *
 * @module
 */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import type { TSchema } from '@sinclair/typebox';
import { Value, ValueErrorType, type ValueError } from '@sinclair/typebox/value';
import { TokenmeshError, withoutDigits } from '../../errors/error.ts';
import type { VaultAccess } from '../../mesh/definition.ts';
import type { AwsClients } from './adapters/aws-clients.ts';
import type { PolicySource } from './adapters/policy-set.ts';
import { REGION_CODES } from './core/formats/region-codes.ts';
import { AuditSchema, NAME_SHAPE, OptionsSchema, type AUDIT_OPTIONS } from './vault-options-schema.ts';

/** The tenants of a caller and what it is granted in them; everything else is denied. No rates: nobody limits a library. */
export type CallerAccess = Omit<VaultAccess, 'limits'>;

/** Something failed that no caller is told of in so many words. */
export interface VaultFault {
  readonly part: 'store' | 'audit';
  /** The kind of the error, and not its text, which may quote what was sent. */
  readonly name: string;
}

export interface VaultOptions {
  /** The KMS key that wraps the branch keys, by its ARN. */
  readonly kmsKeyArn: string;
  /** Who may ask for what, by a name that the audit shows: lower-case letters, digits, dots and hyphens. */
  readonly callers: Readonly<Record<string, CallerAccess>>;
  /** More Cedar policies, which may permit and forbid further than the grants do. @default none */
  readonly policies?: readonly Pick<PolicySource, 'name' | 'text'>[];
  /** @default 'tokenmesh-tokens' */
  readonly tokensTableName?: string;
  /** Of the branch keys. @default 'tokenmesh-keys' */
  readonly keysTableName?: string;
  /** `off` leaves no trace of who revealed what: for tests. @default 'sealed' */
  readonly audit?: 'sealed' | 'off';
  /** @default 'tokenmesh-audit' */
  readonly auditTableName?: string;
  /** The HMAC key that seals the audit: alias, id or ARN. @default 'alias/tokenmesh-audit' */
  readonly auditKeyId?: string;
  /** Who sweeps and writes, in the records of the audit that no caller is behind. @default 'tokenmesh-library' */
  readonly auditIdentity?: string;
  /** What tokens of the format `region` name. @default the code of `AWS_REGION`; where it has none, that format is refused */
  readonly regionCode?: string;
  /** Made by `createAwsClients`, and closed by whoever made them. @default made with the SDK's own region, credentials and endpoint, and closed with the vault */
  readonly clients?: AwsClients;
  /** @default the clock of the system */
  readonly now?: () => Date;
  /** From a cryptographic source. @default the operating system's */
  readonly randomBytes?: (count: number) => Uint8Array;
  /** @default a warning of the process */
  readonly onFault?: (fault: VaultFault) => void;
}

/** Where the audit of a vault is; the defaults are the vault's. */
export type AuditOptions = Pick<VaultOptions, (typeof AUDIT_OPTIONS)[number]>;

/** Those with a default that is a plain text have it. */
export type CheckedOptions = VaultOptions &
  Required<Pick<VaultOptions, keyof typeof DEFAULTS | 'audit' | 'policies'>>;

const DEFAULTS = {
  tokensTableName: 'tokenmesh-tokens',
  keysTableName: 'tokenmesh-keys',
  auditTableName: 'tokenmesh-audit',
  auditKeyId: 'alias/tokenmesh-audit',
  auditIdentity: 'tokenmesh-library',
};

/**
 * The options with their defaults.
 *
 * @throws {TokenmeshError} `ERR_VAULT_OPTIONS`, with every problem at once, each with its path. An unknown option is one.
 */
export function checkOptions(options: VaultOptions, awsRegion: string | undefined): CheckedOptions {
  check(OptionsSchema, options);
  const regionCode = options.regionCode ?? REGION_CODES[awsRegion ?? ''];
  return {
    ...DEFAULTS,
    audit: 'sealed',
    policies: [],
    ...withoutUndefined(options),
    ...(regionCode === undefined ? {} : { regionCode }),
  };
}

/** @throws {TokenmeshError} `ERR_VAULT_OPTIONS` */
export function checkAuditOptions(options: AuditOptions): AuditOptions & typeof DEFAULTS {
  check(AuditSchema, options);
  return { ...DEFAULTS, ...withoutUndefined(options) };
}

function check(schema: TSchema, options: unknown): void {
  const problems = new Set([...Value.Errors(schema, options)].map(problemOf));
  const { clients } = (options ?? {}) as Partial<VaultOptions>;
  if (clients !== undefined && !isOfThisSdk(clients)) problems.add(FOREIGN_CLIENTS);
  if (problems.size === 0) return;
  throw new TokenmeshError({
    code: 'ERR_VAULT_OPTIONS',
    message: `the vault cannot be opened: ${[...problems].join('; ')}`,
    remedy: 'correct the options named; all of them are in docs/library.md',
  });
}

const FOREIGN_CLIENTS = 'clients: expected what createAwsClients makes, got something else';

/** The Encryption SDK takes the clients of its own copy of the AWS SDK alone, and there may be two copies. */
function isOfThisSdk(clients: AwsClients | null): boolean {
  return clients?.dynamodb instanceof DynamoDBClient && clients.kms instanceof KMSClient;
}

/** An option that is undefined is one that is left out. */
function withoutUndefined<Given extends AuditOptions>(options: Given): Given {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Given;
}

function problemOf({ path, schema, type, value }: ValueError): string {
  const name = withoutDigits(path.slice(1).replaceAll('/', '.')) || 'the options';
  if (type === ValueErrorType.ObjectAdditionalProperties) {
    const isCaller = /^\/callers\/[^/]*$/.test(path);
    return `${name}: expected ${isCaller ? `the name of a caller in ${NAME_SHAPE}` : 'no option of this name'}`;
  }
  const expected = (schema as { expected?: string }).expected ?? 'something else';
  return `${name}: expected ${expected}, got ${value === undefined || value === '' ? 'nothing' : 'something else'}`;
}
