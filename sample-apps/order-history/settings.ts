import { readFileSync } from 'node:fs';
import { TokenmeshError } from '../../errors/error.ts';
import type { Settings } from '../environment.ts';

/** Where the orders are kept: the table of DynamoDB unless said otherwise. */
export type OrderStoreKind = 'dynamodb' | 'mysql';

export interface DatabaseSettings {
  /** A name: the certificate of the server is held against it. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** `iam`: a token of IAM for each connection, in place of a password. */
  readonly auth:
    | { readonly kind: 'iam'; readonly region: string }
    | { readonly kind: 'password'; readonly password: string };
  /** The CAs that the server may prove itself under, PEM; those of Amazon RDS unless given. */
  readonly ca?: string;
}

const STORE = { pattern: /^(?:dynamodb|mysql)$/, expected: 'dynamodb or mysql', fallback: 'dynamodb' };
/** At least one letter: an address has no place in a configuration, and no certificate names one. */
const HOST = { pattern: /^(?=.*[a-z])[a-z0-9]([a-z0-9.-]{0,252}[a-z0-9])?$/, expected: 'a host name' };
const NAME = { pattern: /^\w{1,32}$/, expected: 'letters, digits and "_"' };
const PORT = { min: 1, max: 65_535, fallback: 3306 };
const AUTH = { pattern: /^(?:iam|password)$/, expected: 'iam or password', fallback: 'iam' };
const REGION = { pattern: /^[a-z]{2}(?:-[a-z]+)+-\d$/, expected: 'the region of the database' };
const PASSWORD = { pattern: /^.{8,128}$/, expected: 'a password of 8 to 128 characters' };
const CA_FILE = { pattern: /^(?:\/.+)?$/, expected: 'an absolute path, or nothing', fallback: '' };

export function readStoreKind(settings: Settings): OrderStoreKind {
  return settings.text('ORDER_STORE', STORE) as OrderStoreKind;
}

/** What is read is to be used only after {@link Settings.check}; then {@link withCa}. */
export function readDatabase(settings: Settings): DatabaseSettings & { readonly caFile: string } {
  const isIam = settings.text('ORDER_DB_AUTH', AUTH) === 'iam';
  return {
    host: settings.text('ORDER_DB_HOST', HOST),
    port: settings.integer('ORDER_DB_PORT', PORT),
    database: settings.text('ORDER_DB_NAME', { ...NAME, fallback: 'orders' }),
    user: settings.text('ORDER_DB_USER', NAME),
    auth: isIam
      ? { kind: 'iam', region: settings.text('AWS_REGION', REGION) }
      : { kind: 'password', password: settings.text('ORDER_DB_PASSWORD', PASSWORD) },
    caFile: settings.text('ORDER_DB_CA_FILE', CA_FILE),
  };
}

/** @throws {TokenmeshError} `ERR_SETTINGS_INVALID` for a file that cannot be read. */
export function withCa({ caFile, ...database }: ReturnType<typeof readDatabase>): DatabaseSettings {
  if (caFile === '') return database;
  try {
    return { ...database, ca: readFileSync(caFile, 'utf8') };
  } catch (cause) {
    throw new TokenmeshError({
      code: 'ERR_SETTINGS_INVALID',
      message: 'ORDER_DB_CA_FILE: expected a file that can be read, got none',
      remedy: 'name a file of PEM certificates, or leave it out for those of Amazon RDS',
      cause,
    });
  }
}
