/**
 * One record as one DynamoDB item, and back: docs/record-format.md.
 *
 * @module
 */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { RecordUnopenableError } from '../core/errors.ts';
import { FIELD_CLASS_NAMES } from '../core/field-class.ts';
import { isFormatName } from '../core/formats/registry.ts';
import type { RecordKey, SealedCode, SealedField, TokenRecord } from '../core/ports.ts';
import { minuteOf, shardOf, sweepBucketOf } from '../core/sweep-bucket.ts';
import { isTokenKind } from '../core/token-kind.ts';

export type Item = Record<string, AttributeValue>;

const FORMAT_VERSION = '1';

const RECORD_SORT_KEY = 'record';

/** A security code stands beside its record, under the same `pk`. */
const CODE_SORT_KEY = 'code';

export function itemKey({ tenant, token }: RecordKey): Item {
  return { pk: { S: `${tenant}#${token}` }, sk: { S: RECORD_SORT_KEY } };
}

export function codeItemKey(key: RecordKey): Item {
  return { ...itemKey(key), sk: { S: CODE_SORT_KEY } };
}

/** @returns Undefined for what is no record: the table holds other rows too. */
export function keyOfItem(item: Item): RecordKey | undefined {
  return keyUnder(item, RECORD_SORT_KEY);
}

/** @returns Undefined for what is no security code. */
export function keyOfCodeItem(item: Item): RecordKey | undefined {
  return keyUnder(item, CODE_SORT_KEY);
}

function keyUnder(item: Item, sortKey: string): RecordKey | undefined {
  const partition = item['pk']?.S ?? '';
  const end = partition.indexOf('#');
  if (item['sk']?.S !== sortKey || end < 0) return undefined;
  return { tenant: partition.slice(0, end), token: partition.slice(end + 1) };
}

/**
 * `expiresAt` is for DynamoDB's TTL, which counts in seconds: rounded up, so that it never comes before the
 * exact one. `sweepBucket` is for our own sweeper: {@link sweepBucketOf}.
 */
export function expiryAttributes(key: Item, expiresAt: Date | undefined): Item {
  if (expiresAt === undefined) return {};
  const expiresAtMs = expiresAt.getTime();
  return {
    expiresAt: { N: String(Math.ceil(expiresAtMs / 1000)) },
    expiresAtMs: { N: String(expiresAtMs) },
    sweepBucket: { S: sweepBucketOf(minuteOf(expiresAt), shardOf(key['pk']?.S ?? '')) },
  };
}

export function toCodeItem(code: SealedCode): Item {
  const key = codeItemKey(code);
  return {
    ...key,
    version: { N: FORMAT_VERSION },
    field: { S: code.field },
    message: { B: code.message },
    ...expiryAttributes(key, code.expiresAt),
  };
}

/** @throws {RecordUnopenableError} for an item of another version, or one that is not whole. */
export function fromCodeItem(key: RecordKey, item: Item): SealedCode {
  const [field, message, expiresAt] = [item['field']?.S, item['message']?.B, expiryOf(item)];
  const isWhole = item['version']?.N === FORMAT_VERSION;
  if (!isWhole || field === undefined || message === undefined || expiresAt === undefined) {
    throw new RecordUnopenableError();
  }
  return { tenant: key.tenant, token: key.token, field, message, expiresAt };
}

export function toItem(record: TokenRecord): Item {
  const key = itemKey(record);
  return {
    ...key,
    version: { N: FORMAT_VERSION },
    createdAt: { S: record.createdAt.toISOString() },
    ...expiryAttributes(key, record.expiresAt),
    ...traitAttributes(record),
    fields: {
      M: Object.fromEntries(
        [...record.fields].map(([name, field]) => [
          name,
          {
            M: {
              class: { S: field.class },
              message: { B: field.message },
              ...(field.searchable === undefined ? {} : { searchable: { BOOL: true } }),
            },
          },
        ]),
      ),
    },
  };
}

/** Left out where they say nothing: a record of the kind `random` in the format `default` has none of them. */
function traitAttributes(record: TokenRecord): Item {
  const { kind, format, revision, subject, reference, consumedAt, archivedAt, code } = record;
  return {
    ...(kind === undefined ? {} : { kind: { S: kind } }),
    ...(format === undefined ? {} : { format: { S: format } }),
    ...(revision === undefined ? {} : { revision: { N: String(revision) } }),
    ...(subject === undefined ? {} : { subject: { S: subject } }),
    ...(reference === undefined ? {} : { reference: { S: reference } }),
    ...(consumedAt === undefined ? {} : { consumedAtMs: { N: String(consumedAt.getTime()) } }),
    ...(archivedAt === undefined ? {} : { archivedAtMs: { N: String(archivedAt.getTime()) } }),
    ...(code === undefined
      ? {}
      : { code: { M: { field: { S: code.field }, expiresAtMs: { N: String(code.expiresAt.getTime()) } } } }),
  };
}

/**
 * @throws {RecordUnopenableError} for an item of another version, or one that is not whole.
 */
export function fromItem(key: RecordKey, item: Item): TokenRecord {
  const createdAt = new Date(item['createdAt']?.S ?? '');
  const entries = Object.entries(item['fields']?.M ?? {});
  const fields = new Map(entries.map(([name, value]) => [name, sealedField(value)]));
  const isWhole = item['version']?.N === FORMAT_VERSION && !Number.isNaN(createdAt.getTime());
  const traits = traitsIn(item);
  const isTombstone = traits.consumedAt !== undefined;
  const mayBeEmpty = isTombstone || traits.code !== undefined;
  if (!isWhole || (isTombstone && fields.size > 0) || (!mayBeEmpty && fields.size === 0)) {
    throw new RecordUnopenableError();
  }
  const expiresAt = expiryOf(item);
  return { ...key, createdAt, fields, ...(expiresAt === undefined ? {} : { expiresAt }), ...traits };
}

/** An expiry that cannot be read must not turn into none. */
function expiryOf(item: Item): Date | undefined {
  if (item['expiresAt'] === undefined && item['expiresAtMs'] === undefined) return undefined;
  const expiresAt = new Date(Number(item['expiresAtMs']?.N));
  if (Number.isNaN(expiresAt.getTime())) throw new RecordUnopenableError();
  return expiresAt;
}

/** What cannot be read must not turn into what is left out: a one-time token into one that is read for ever. */
function traitsIn(item: Item): Omit<TokenRecord, keyof RecordKey | 'createdAt' | 'expiresAt' | 'fields'> {
  const kind = textIn(item, 'kind', isTokenKind);
  const format = textIn(item, 'format', isFormatName);
  const revision = countIn(item, 'revision');
  const consumedAtMs = countIn(item, 'consumedAtMs');
  const archivedAtMs = countIn(item, 'archivedAtMs');
  const subject = textIn(item, 'subject', isSubject);
  const reference = textIn(item, 'reference', isReference);
  const code = codeIn(item);
  if ((kind === 'pointer') !== (revision !== undefined)) throw new RecordUnopenableError();
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(format === undefined ? {} : { format }),
    ...(revision === undefined ? {} : { revision }),
    ...(subject === undefined ? {} : { subject }),
    ...(reference === undefined ? {} : { reference }),
    ...(consumedAtMs === undefined ? {} : { consumedAt: new Date(consumedAtMs) }),
    ...(archivedAtMs === undefined ? {} : { archivedAt: new Date(archivedAtMs) }),
    ...(code === undefined ? {} : { code }),
  };
}

function codeIn(item: Item): TokenRecord['code'] {
  if (item['code'] === undefined) return undefined;
  const { field, expiresAtMs } = item['code'].M ?? {};
  const expiresAt = new Date(Number(expiresAtMs?.N));
  if (field?.S === undefined || Number.isNaN(expiresAt.getTime())) throw new RecordUnopenableError();
  return { field: field.S, expiresAt };
}

function isReference(text: string): text is string {
  return /^[\w.-]{1,64}$/.test(text);
}

/** The name of a key: no other text may become part of one. */
function isSubject(text: string): text is string {
  return /^[\w.-]{1,64}$/.test(text);
}

function textIn<Text extends string>(
  item: Item,
  name: string,
  isKnown: (text: string) => text is Text,
): Text | undefined {
  if (item[name] === undefined) return undefined;
  const text = item[name].S ?? '';
  if (!isKnown(text)) throw new RecordUnopenableError();
  return text;
}

function countIn(item: Item, name: string): number | undefined {
  if (item[name] === undefined) return undefined;
  const count = Number(item[name].N);
  if (!Number.isSafeInteger(count) || count < 1) throw new RecordUnopenableError();
  return count;
}

function sealedField(value: AttributeValue): SealedField {
  const fieldClass = FIELD_CLASS_NAMES.find((name) => name === value.M?.['class']?.S);
  const message = value.M?.['message']?.B;
  if (fieldClass === undefined || message === undefined) throw new RecordUnopenableError();
  const isSearchable = value.M?.['searchable']?.BOOL === true;
  return { class: fieldClass, message, ...(isSearchable ? { searchable: true } : {}) };
}
