import type { Accepted } from '../minting.ts';
import type { TokenRecord } from '../ports.ts';
import type { VaultParts } from '../vault.ts';
import type { IndexRow } from './ports.ts';
import { entriesOf, requireFingerprints } from './searchable.ts';

/** A record that is stored, and what it was made of. */
export interface Stored {
  readonly record: TokenRecord;
  readonly accepted: Accepted;
}

/**
 * Puts the rows by which records are found, once the records are there.
 *
 * @throws {StoreUnavailableError} and no token of these may be handed out.
 */
export async function putEntries(parts: VaultParts, stored: readonly Stored[]): Promise<void> {
  const rows: IndexRow[] = [];
  for (const { record, accepted } of stored) {
    for (const { class: fieldClass, value, searchable } of accepted.fields) {
      if (searchable !== true) continue;
      const { write } = await requireFingerprints(parts).keys.ringOf(record.tenant);
      const field = { record, tenant: record.tenant, class: fieldClass, value };
      rows.push(...entriesOf(write, field, parts.randomBytes));
    }
  }
  if (rows.length > 0) await requireFingerprints(parts).index.put(rows);
}
