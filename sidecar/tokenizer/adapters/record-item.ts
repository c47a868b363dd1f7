/**
 * One record as one DynamoDB item, and back: docs/record-format.md.
 *
 * @module
 */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { RecordUnopenableError } from '../core/errors.ts';
import { FIELD_CLASS_NAMES } from '../core/field-class.ts';
import type { RecordKey, SealedField, TokenRecord } from '../core/ports.ts';

export type Item = Record<string, AttributeValue>;

const FORMAT_VERSION = '1';

/** The one item of a record today; security codes and pointers will be items of their own under the same `pk`. */
const RECORD_SORT_KEY = 'record';

export function itemKey({ tenant, token }: RecordKey): Item {
  return { pk: { S: `${tenant}#${token}` }, sk: { S: RECORD_SORT_KEY } };
}

/** `expiresAt` is for DynamoDB's TTL, which counts in seconds: rounded up, so that it never comes before the exact one. */
export function toItem(record: TokenRecord): Item {
  const expiresAtMs = record.expiresAt?.getTime();
  return {
    ...itemKey(record),
    version: { N: FORMAT_VERSION },
    createdAt: { S: record.createdAt.toISOString() },
    ...(expiresAtMs === undefined
      ? {}
      : {
          expiresAt: { N: String(Math.ceil(expiresAtMs / 1000)) },
          expiresAtMs: { N: String(expiresAtMs) },
        }),
    fields: {
      M: Object.fromEntries(
        [...record.fields].map(([name, field]) => [
          name,
          { M: { class: { S: field.class }, message: { B: field.message } } },
        ]),
      ),
    },
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
  if (!isWhole || fields.size === 0) throw new RecordUnopenableError();
  const expiresAt = expiryOf(item);
  return { ...key, createdAt, fields, ...(expiresAt === undefined ? {} : { expiresAt }) };
}

/** An expiry that cannot be read must not turn into none. */
function expiryOf(item: Item): Date | undefined {
  if (item['expiresAt'] === undefined && item['expiresAtMs'] === undefined) return undefined;
  const expiresAt = new Date(Number(item['expiresAtMs']?.N));
  if (Number.isNaN(expiresAt.getTime())) throw new RecordUnopenableError();
  return expiresAt;
}

function sealedField(value: AttributeValue): SealedField {
  const fieldClass = FIELD_CLASS_NAMES.find((name) => name === value.M?.['class']?.S);
  const message = value.M?.['message']?.B;
  if (fieldClass === undefined || message === undefined) throw new RecordUnopenableError();
  return { class: fieldClass, message };
}
