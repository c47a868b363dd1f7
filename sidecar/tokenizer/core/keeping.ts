import { decide, idsOf, requireClasses, requireOperation, tenantOf, traitsOf } from './access.ts';
import { consumedToken, liveRecord, missingToken } from './live-record.ts';
import type { FieldOperation } from './policy.ts';
import type { RecordKey } from './ports.ts';
import { classesByField, classesOf } from './record-fields.ts';
import { DEFAULT_FORMAT, RANDOM_KIND } from './token-kind.ts';
import { rowsLeadingTo } from './fingerprints/searchable.ts';
import { parseToken } from './token.ts';
import type { Caller, TokenQuery, Vault, VaultParts } from './vault.ts';

/** What is done with a record as a whole, without its values. */
export function createKeeping(parts: VaultParts): Pick<Vault, 'describe' | 'delete'> {
  return {
    async describe(caller, query) {
      const key = keyOf(parts, caller, query, 'read-metadata');
      const record = liveRecord(parts, key, await parts.store.find(key));
      const asked = classesByField(record).map(([name, fieldClass]) => ({
        name,
        class: fieldClass,
        decision: decide(parts.policy, caller, {
          ...traitsOf(record),
          operation: 'read-metadata',
          tenant: record.tenant,
          class: fieldClass,
        }),
      }));
      const known = asked.filter(({ decision }) => decision.permitted);
      return {
        token: record.token,
        tenant: record.tenant,
        createdAt: record.createdAt,
        ...(record.expiresAt === undefined ? {} : { expiresAt: record.expiresAt }),
        kind: record.kind ?? RANDOM_KIND,
        format: record.format ?? DEFAULT_FORMAT,
        ...(record.archivedAt === undefined ? {} : { archivedAt: record.archivedAt }),
        ...(record.subject === undefined ? {} : { subject: record.subject }),
        ...(record.revision === undefined ? {} : { version: record.revision }),
        fields: new Map(known.map((field) => [field.name, field.class])),
        policyIds: idsOf(known.map(({ decision }) => decision)),
      };
    },
    async delete(caller, query) {
      const key = keyOf(parts, caller, query, 'delete');
      const record = await parts.store.find(key);
      if (record === undefined) throw missingToken(parts, key.token);
      if (record.consumedAt !== undefined) throw consumedToken();
      const policyIds = requireClasses(
        parts.policy,
        caller,
        'delete',
        record.tenant,
        classesOf(record),
        traitsOf(record),
      );
      // What goes with the record goes first: a deletion that fails half-way is one that can be asked for again, and
      // once the record is gone nobody can tell which rows of the index were its own.
      const rows = await rowsLeadingTo(parts, record);
      if (rows.length > 0) await parts.fingerprints?.index.remove(rows);
      if (record.code !== undefined) await parts.store.consumeCode(key);
      // Gone meanwhile is removed too: where an answer was lost and the call was sent again, it was this one that did it,
      // and an error would leave the audit without a record of where the row went.
      await parts.store.remove(key);
      return { policyIds, stored: 'removed' };
    },
  };
}

function keyOf(parts: VaultParts, caller: Caller, query: TokenQuery, operation: FieldOperation): RecordKey {
  const token = parseToken(query.token);
  const tenant = tenantOf(caller, query.tenant);
  requireOperation(parts.policy, caller, operation, tenant);
  return { tenant, token };
}
