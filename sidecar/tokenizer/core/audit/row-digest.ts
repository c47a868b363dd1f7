import { createHmac, hash, type KeyObject } from 'node:crypto';
import type { TokenRecord } from '../ports.ts';
import { DEFAULT_FORMAT, RANDOM_KIND } from '../token-kind.ts';
import { lettersOf } from './letters.ts';

/** What the audit says of a row in the vault's table that is there no more. */
export const NO_ROW = 'none';

/** 128 bits: whoever would pass another row off as this one has no key to try with. */
const DIGEST_BYTES = 16;

/**
 * Tells two states of a record's row from each other: all that is stored of it goes in.
 *
 * Every message of a record opens where a whole row is put back as it once was, so only who remembers
 * what the row was last can tell. Keyed as references to tokens are, and under the same key.
 */
export function rowDigest(key: KeyObject, record: TokenRecord): string {
  const { kind = RANDOM_KIND, format = DEFAULT_FORMAT } = record;
  const state = [
    'row, version 1',
    record.tenant,
    record.token,
    record.createdAt.getTime(),
    record.expiresAt?.getTime() ?? null,
    kind,
    format,
    record.revision ?? null,
    record.subject ?? null,
    record.reference ?? null,
    record.consumedAt?.getTime() ?? null,
    record.archivedAt?.getTime() ?? null,
    record.code === undefined ? null : [record.code.field, record.code.expiresAt.getTime()],
    [...record.fields]
      .map(
        ([name, field]) => [name, field.class, digestOf(field.message), field.searchable ?? false] as const,
      )
      .toSorted(([one], [other]) => (one < other ? -1 : Number(one > other))),
  ];
  const digest = createHmac('sha256', key).update(JSON.stringify(state)).digest();
  return lettersOf(digest.subarray(0, DIGEST_BYTES));
}

function digestOf(message: Uint8Array): string {
  return hash('sha256', message, 'base64');
}
