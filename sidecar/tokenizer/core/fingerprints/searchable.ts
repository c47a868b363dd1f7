import { TokenmeshError } from '../../../../errors/error.ts';
import { RecordUnopenableError, SubjectShreddedError } from '../errors.ts';
import type { TokenRecord } from '../ports.ts';
import { openField } from '../record-fields.ts';
import type { VaultParts } from '../vault.ts';
import { partitionOf, type Fingerprinted } from './fingerprint.ts';
import type { FingerprintIndex, FingerprintKeys, FingerprintRing, IndexKey, IndexRow } from './ports.ts';
import { placesOf } from './one-way-places.ts';
import { claimKey, entryKey, sealToken } from './sealed-token.ts';
import type { VersionKeys } from './version-keys.ts';

export interface Fingerprints {
  readonly keys: FingerprintKeys;
  readonly index: FingerprintIndex;
}

/** @throws {TokenmeshError} `ERR_KIND_UNSUPPORTED` for a vault that was made without. */
export function requireFingerprints({ fingerprints }: VaultParts): Fingerprints {
  if (fingerprints !== undefined) return fingerprints;
  throw new TokenmeshError({
    code: 'ERR_KIND_UNSUPPORTED',
    message: 'what follows from a value is not supported here: expected a vault with fingerprints',
    remedy: 'make the vault with fingerprints, or ask for the kind "random" and nothing searchable',
  });
}

/** A field of a record with its value, to be found by it. */
export interface SearchableField extends Fingerprinted {
  readonly record: TokenRecord;
}

/** The rows by which a field is found, under some versions of the key. */
export function entriesOf(
  versions: readonly VersionKeys[],
  { record, ...fingerprinted }: SearchableField,
  randomBytes: (count: number) => Uint8Array,
): IndexRow[] {
  return versions.map((keys) => {
    const place = {
      partition: partitionOf(keys, fingerprinted),
      sortKey: entryKey(keys, record.token),
    };
    return {
      ...place,
      sealedToken: sealToken(keys, place, record.token, randomBytes),
      ...(record.expiresAt === undefined ? {} : { expiresAt: record.expiresAt }),
    };
  });
}

/** Whether anything leads from a value to this record. */
export function isIndexed(record: TokenRecord): boolean {
  return (
    record.kind === 'deterministic' ||
    record.kind === 'one-way' ||
    [...record.fields.values()].some(({ searchable }) => searchable === true)
  );
}

/** Every field of a record whose value leads to it, opened. A one-way record has no value. */
export async function openIndexed({ sealer }: VaultParts, record: TokenRecord): Promise<SearchableField[]> {
  const opened: SearchableField[] = [];
  for (const [name, field] of record.fields) {
    if (record.kind === 'one-way' || (record.kind !== 'deterministic' && field.searchable !== true)) continue;
    const value = await openField(sealer, record, name, field);
    opened.push({ record, tenant: record.tenant, class: field.class, value });
  }
  return opened;
}

/**
 * The rows that lead to a record, to be removed with it.
 *
 * @returns None where the record does not open any more: its rows lead to nothing, and expire or stay.
 */
export async function rowsLeadingTo(parts: VaultParts, record: TokenRecord): Promise<readonly IndexKey[]> {
  if (parts.fingerprints === undefined || !isIndexed(record)) return [];
  try {
    const ring = await parts.fingerprints.keys.ringOf(record.tenant);
    if (record.kind === 'one-way') {
      const places = await placesOf(parts.fingerprints.index, ring, record);
      return [...(await rowOfOneWay(parts, record)), ...places];
    }
    return (await openIndexed(parts, record)).flatMap((field) => keysOf(ring, field));
  } catch (error) {
    if (error instanceof RecordUnopenableError || error instanceof SubjectShreddedError) return [];
    throw error;
  }
}

function keysOf({ read }: FingerprintRing, { record, ...fingerprinted }: SearchableField): IndexKey[] {
  return read.flatMap((keys) => {
    const partition = partitionOf(keys, fingerprinted);
    const claim = { partition, sortKey: claimKey(record.kind ?? '', record.format ?? 'default') };
    const entry = { partition, sortKey: entryKey(keys, record.token) };
    return record.kind === 'deterministic' ? [claim, entry] : [entry];
  });
}

async function rowOfOneWay({ sealer }: VaultParts, record: TokenRecord): Promise<IndexKey[]> {
  const [[name, field] = []] = record.fields;
  if (name === undefined || field === undefined) return [];
  const partition = await openField(sealer, record, name, field);
  return [{ partition, sortKey: claimKey('one-way', record.format ?? 'default') }];
}
