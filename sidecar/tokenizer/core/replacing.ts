import { TokenmeshError } from '../../../errors/error.ts';
import { requireClasses, requireOperation, tenantOf, traitsOf } from './access.ts';
import { checkValues, parseFieldClass } from './field-class.ts';
import { liveRecord, requireUnarchived } from './live-record.ts';
import { requireNoCode } from './security-code.ts';
import type { RecordKey, TokenRecord } from './ports.ts';
import { sealFields, type NamedField } from './seal-fields.ts';
import { requireFindable } from './token-kind.ts';
import { parseToken } from './token.ts';
import type { Caller, Replaced, ReplaceRequest, Vault, VaultParts } from './vault.ts';

/** How often a request that names no version tries to be the one that replaces. */
const REPLACE_ATTEMPTS = 5;

/** A record of which it is known that it is a pointer's. */
type PointerRecord = TokenRecord & { readonly revision: number };

/** Other values behind a token that stays. */
export function createReplacing(parts: VaultParts): Pick<Vault, 'replace'> {
  return {
    async replace(caller, request) {
      const token = parseToken(request.token);
      const tenant = tenantOf(caller, request.tenant);
      requireOperation(parts.policy, caller, 'tokenize', tenant);
      const fields = acceptFields(parts, caller, tenant, request);
      for (let attempt = 0; attempt < REPLACE_ATTEMPTS; attempt += 1) {
        const found = await pointerRecord(parts, { tenant, token });
        const policyIds = requireReplacing(parts, caller, found, fields);
        if (request.version !== undefined && request.version !== found.revision)
          throw conflictOf(request.version, found.revision);
        const replaced = await replaceOnce(parts, found, fields);
        if (replaced !== undefined) return { ...replaced, policyIds };
      }
      throw busy(REPLACE_ATTEMPTS);
    },
  };
}

function acceptFields(
  parts: VaultParts,
  caller: Caller,
  tenant: string,
  request: ReplaceRequest,
): readonly NamedField[] {
  const fields = Object.entries(request.fields).map(([field, { class: name, value, searchable }]) => ({
    field,
    class: parseFieldClass(field, name),
    value,
    ...(searchable === true ? { searchable } : {}),
  }));
  requireFindable('pointer', fields);
  const classes = fields.map((each) => each.class);
  requireClasses(parts.policy, caller, 'tokenize', tenant, classes, { kind: 'pointer' });
  checkValues(fields);
  requireNoCode(fields, 'the record of a pointer');
  return fields;
}

/** @throws {TokenmeshError} `ERR_KIND_NOT_POINTER`, and all that says that there is no such record. */
async function pointerRecord(parts: VaultParts, key: RecordKey): Promise<PointerRecord> {
  const record = liveRecord(parts, key, await parts.store.find(key));
  const { kind = 'random', revision } = record;
  requireUnarchived(record);
  if (kind === 'pointer' && revision !== undefined) return { ...record, revision };
  throw new TokenmeshError({
    code: 'ERR_KIND_NOT_POINTER',
    message: `the record cannot be replaced: expected a token of the kind "pointer", got "${kind}"`,
    remedy: 'tokenize the new value, and use the token of that',
  });
}

/** What was behind the token is lost: that takes the right to write its classes as well as the new ones. */
function requireReplacing(
  parts: VaultParts,
  caller: Caller,
  record: PointerRecord,
  fields: readonly NamedField[],
): readonly string[] {
  const classes = [...record.fields.values(), ...fields].map((each) => each.class);
  return requireClasses(parts.policy, caller, 'tokenize', record.tenant, classes, traitsOf(record));
}

/** @returns Undefined where another was faster. */
async function replaceOnce(
  { sealer, store }: VaultParts,
  found: PointerRecord,
  fields: readonly NamedField[],
): Promise<Replaced | undefined> {
  const next = { ...found, revision: found.revision + 1 };
  const record = { ...next, fields: await sealFields(sealer, next, fields) };
  const outcome = await store.replace(record, found.revision);
  if (outcome === 'conflict' && !isSame(await store.find(record), record)) return undefined;
  return { token: found.token, version: next.revision, stored: record };
}

/** @param found - 0 where there is none. */
/**
 * Whether the record that is there is this very one: the answer to its write was lost then, and the write
 * was sent again. No two messages are alike, so that nobody else can have written it.
 */
function isSame(there: TokenRecord | undefined, record: TokenRecord): boolean {
  if (there === undefined || there.revision !== record.revision) return false;
  if (there.fields.size !== record.fields.size) return false;
  return [...record.fields].every(([name, { message }]) => {
    const other = there.fields.get(name);
    return other !== undefined && Buffer.from(other.message).equals(message);
  });
}

export function conflictOf(wanted: number, found: number): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_VERSION_CONFLICT',
    message: `the record has another version: expected ${wanted}, got ${found}`,
    remedy: `read what is there now, and send the change again with "version": ${found}`,
  });
}

export function busy(attempts: number): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_VERSION_CONFLICT',
    message: `the record was replaced by others ${attempts} times meanwhile: expected it to rest`,
    remedy: 'send the change again, with a "version" if it must not overwrite those of others',
  });
}
