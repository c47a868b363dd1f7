/**
 * Where the rows of a one-way token are, so that they can go with it.
 *
 * Its record keeps no value to compute them from, only the place of the first row; a rotation of the key
 * makes others. So each version under which such a token is claimed has one row more, found by the token,
 * which says where the claim is.
 *
 * @module
 */

import type { TokenRecord } from '../ports.ts';
import type { FingerprintIndex, FingerprintRing, IndexKey, IndexRow } from './ports.ts';
import { claimKey, openToken, placeKey, referenceOf, sealToken } from './sealed-token.ts';
import type { VersionKeys } from './version-keys.ts';

/** The row that says where a claim is. */
export function placeRow(
  keys: VersionKeys,
  { tenant, token, format }: { readonly tenant: string; readonly token: string; readonly format: string },
  claimPartition: string,
  randomBytes: (count: number) => Uint8Array,
): IndexRow {
  const key = placeRowKey(keys, { tenant, token, format });
  return { ...key, sealedToken: sealToken(keys, key, claimPartition, randomBytes) };
}

/** The rows that lead to a one-way record under every version that is read. */
export async function placesOf(
  index: FingerprintIndex,
  { read }: FingerprintRing,
  { tenant, token, format = 'default' }: TokenRecord,
): Promise<IndexKey[]> {
  const found: IndexKey[] = [];
  for (const keys of read) {
    const key = placeRowKey(keys, { tenant, token, format });
    const sealed = await index.find(key);
    if (sealed === undefined) continue;
    found.push({ partition: openToken(keys, key, sealed), sortKey: claimKey('one-way', format) }, key);
  }
  return found;
}

export function placeRowKey(
  keys: VersionKeys,
  { tenant, token, format }: { readonly tenant: string; readonly token: string; readonly format: string },
): IndexKey {
  return {
    partition: `${tenant}#${keys.version}#${referenceOf(keys, token)}`,
    sortKey: placeKey(format),
  };
}
