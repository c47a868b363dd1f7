/**
 * One audit record: who did what to one item, when and how it ended, and never a value.
 *
 * Format: docs/audit.md.
 *
 * @module
 */

import type { ErrorCode } from '../../../../errors/error.ts';
import type { VaultAccess } from '../../../../mesh/definition.ts';
import type { FieldClass } from '../field-class.ts';
import type { TokenRecord } from '../ports.ts';
import { NO_ROW } from './row-digest.ts';
import type { RevealedField } from '../vault.ts';

export type AuditedOperation =
  | 'tokenize'
  | 'detokenize'
  | 'describe'
  | 'replace'
  | 'delete'
  | 'archive'
  | 'restore'
  | 'upsert'
  | 'sweep'
  | 'search'
  | 'check-value'
  | 'check-token'
  | 'reindex'
  | 'rewrap';

/** `begun` stands before what changes a row that is there, such as a replacement or a deletion: it is recorded first, then done. */
export type AuditOutcome = 'ok' | 'begun' | ErrorCode;

/** One field that was touched: its class, and the form in which it was shown. Its name is the caller's text, and stays out. */
export interface AuditedField {
  readonly class: FieldClass | 'unknown';
  readonly form?: RevealedField['form'];
}

export interface AuditEvent {
  readonly at: Date;
  readonly requestId?: string;
  readonly identity: string;
  readonly tenant?: string;
  readonly operation: AuditedOperation;
  readonly purpose?: string;
  readonly outcome: AuditOutcome;
  /** Whole here, and a keyed reference once it is written. */
  readonly token?: string;
  readonly fields?: readonly AuditedField[];
  /** The policies that decided, by their ids. */
  readonly policies?: readonly string[];
  /** How many there were: tokens of a value, records that were indexed anew. */
  readonly count?: number;
  /** The record as it is stored from now on, or that there is none any more. Left out where nothing changed. */
  readonly stored?: TokenRecord | 'removed';
}

/** As it is written, in this order. */
export interface AuditRecord {
  readonly at: string;
  readonly requestId?: string;
  readonly identity: string;
  readonly tenant?: string;
  readonly operation: AuditedOperation | 'audit';
  readonly purpose?: string;
  readonly outcome: AuditOutcome;
  readonly token?: string;
  readonly fields?: readonly AuditedField[];
  readonly policies?: readonly string[];
  readonly count?: number;
  /** What the row of the record is from now on: {@link rowDigest}, or `none`. Left out where it was not changed. */
  readonly row?: string;
  /** Of the record of a pointer: the revision that the row has. */
  readonly version?: number;
  /** When the record expires: from then on its row may be gone. */
  readonly until?: string;
  /** Whether the token is one that nobody should ever use. */
  readonly honey?: true;
  /** With operation `audit` alone: how many earlier records tell of answers that were withheld. */
  readonly withheld?: Withheld;
}

/**
 * What became of records while the audit could not be written: whoever they are about got
 * `ERR_AUDIT_UNAVAILABLE`, whatever the records say.
 */
export interface Withheld {
  /** The segment that was not known to be written at the time, and was afterwards. */
  readonly segment?: number;
  /** Records that are in no segment. */
  readonly unwritten: number;
}

/** What stands in a record for what may not be in it. */
export interface Keyed {
  /** {@link tokenReference} */
  readonly token: (token: string) => string;
  /** {@link rowDigest} */
  readonly row: (record: TokenRecord) => string;
}

export function recordOf(event: AuditEvent, keyed: Keyed): AuditRecord {
  const { requestId, tenant, purpose, token, fields, policies, count, stored } = event;
  return {
    at: event.at.toISOString(),
    ...(requestId === undefined ? {} : { requestId }),
    identity: event.identity,
    ...(tenant === undefined ? {} : { tenant: withoutNumbers(tenant) }),
    operation: event.operation,
    ...(purpose === undefined ? {} : { purpose: withoutNumbers(purpose) }),
    outcome: event.outcome,
    ...(token === undefined ? {} : { token: keyed.token(token) }),
    ...(fields === undefined ? {} : { fields: fields.map(fieldOf) }),
    ...(policies === undefined ? {} : { policies }),
    ...(count === undefined ? {} : { count }),
    ...(stored === undefined ? {} : rowOf(stored, keyed)),
  };
}

function rowOf(
  stored: TokenRecord | 'removed',
  keyed: Keyed,
): Pick<AuditRecord, 'row' | 'version' | 'until'> {
  if (stored === 'removed') return { row: NO_ROW };
  const { revision, expiresAt } = stored;
  return {
    row: keyed.row(stored),
    ...(revision === undefined ? {} : { version: revision }),
    ...(expiresAt === undefined ? {} : { until: expiresAt.toISOString() }),
  };
}

/** Written by the audit about itself, once it can write again. */
export function withheldRecord(at: Date, identity: string, withheld: Withheld): AuditRecord {
  return {
    at: at.toISOString(),
    identity,
    operation: 'audit',
    outcome: 'ERR_AUDIT_UNAVAILABLE',
    withheld,
  };
}

function fieldOf({ class: fieldClass, form }: AuditedField): AuditedField {
  return { class: fieldClass, ...(form === undefined ? {} : { form }) };
}

/** The words that stand in a record as they are. Any other is the caller's own text, and may name a person. */
export interface AuditWords {
  readonly tenants: ReadonlySet<string>;
  readonly purposes: ReadonlySet<string>;
}

/** What stands in a record for a tenant or purpose that there is not. */
const OTHER_WORD = 'other';

export function knownWord(words: ReadonlySet<string>, text: string): string {
  return words.has(text) ? text : OTHER_WORD;
}

/** @param accesses - All that a definition gives of the vault, to whomever. */
export function auditWordsOf(accesses: readonly VaultAccess[]): AuditWords {
  const purposes = accesses.flatMap(({ defaultPurpose, grants }) => [
    ...(defaultPurpose === undefined ? [] : [defaultPurpose]),
    ...grants.flatMap(({ plainFor = [] }) => plainFor),
  ]);
  return { tenants: new Set(accesses.flatMap(({ tenants }) => tenants)), purposes: new Set(purposes) };
}

/** Tenant and purpose may hold numbers, whoever named them: six digits in it may be part of a card number, whatever stands between them. */
export function withoutNumbers(text: string): string {
  const digits = text.match(/\p{Nd}/gu) ?? [];
  return digits.length < 6 ? text : text.replaceAll(/\p{Nd}/gu, '#');
}
