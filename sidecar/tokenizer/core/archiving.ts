import { requireClasses, requireOperation, tenantOf, traitsOf } from './access.ts';
import { consumedToken, liveRecord } from './live-record.ts';
import type { RecordKey, TokenRecord } from './ports.ts';
import { classesOf } from './record-fields.ts';
import { parseToken } from './token.ts';
import type { Archived, Caller, TokenQuery, Vault, VaultParts } from './vault.ts';

/** How often it is tried to change a record that others change meanwhile. */
const ATTEMPTS = 3;

/** Takes tokens out of use without losing anything, and brings them back. */
export function createArchiving(parts: VaultParts): Pick<Vault, 'archive' | 'restore'> {
  return {
    archive: (caller, query) => turn(parts, caller, query, true),
    restore: (caller, query) => turn(parts, caller, query, false),
  };
}

/**
 * A record that is as it should be already is left as it is, and that is no error: the call can be repeated.
 *
 * Where it has come to be so meanwhile, the row is told all the same: it may be this call that did it, whose
 * answer was lost and which was sent again, and then nobody else tells the audit of it.
 */
async function turn(
  parts: VaultParts,
  caller: Caller,
  query: TokenQuery,
  isToArchive: boolean,
): Promise<Archived> {
  const key = keyOf(parts, caller, query);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const record = liveRecord(parts, key, await parts.store.find(key));
    const policyIds = requireArchiving(parts, caller, record);
    if ((record.archivedAt !== undefined) === isToArchive) {
      return { ...archivedOf(record), policyIds, ...(attempt === 0 ? {} : { stored: record }) };
    }
    const stored = await parts.store.archive(key, isToArchive ? parts.now() : undefined);
    if (stored !== 'unchanged') return { ...archivedOf(stored), policyIds, stored };
  }
  // Between a look and a change it was used up, and no record of that is found a third time.
  throw consumedToken();
}

function keyOf(parts: VaultParts, caller: Caller, query: TokenQuery): RecordKey {
  const token = parseToken(query.token);
  const tenant = tenantOf(caller, query.tenant);
  requireOperation(parts.policy, caller, 'archive', tenant);
  return { tenant, token };
}

function requireArchiving({ policy }: VaultParts, caller: Caller, record: TokenRecord): readonly string[] {
  return requireClasses(policy, caller, 'archive', record.tenant, classesOf(record), traitsOf(record));
}

function archivedOf({ token, archivedAt }: TokenRecord): Archived {
  return archivedAt === undefined ? { token } : { token, archivedAt };
}
