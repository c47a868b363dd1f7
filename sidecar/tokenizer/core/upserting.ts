/**
 * Makes or replaces what a caller's own reference leads to: a token of the kind `pointer`, which stays
 * the same for as long as it is neither deleted nor expired.
 *
 * @module
 */

import { TokenmeshError, type ErrorCode } from '../../../errors/error.ts';
import { RecordUnopenableError } from './errors.ts';
import { liveRecord } from './live-record.ts';
import { seal, tokenizedOf, type Accepted } from './minting.ts';
import type { TokenRecord } from './ports.ts';
import type { ReferenceKey } from './reference-store.ts';
import { busy, conflictOf, createReplacing } from './replacing.ts';
import { openField } from './record-fields.ts';
import { accept } from './tokenizing.ts';
import type { Caller, UpsertRequest, Upserted, Vault, VaultParts } from './vault.ts';

/** How often an upsert begins anew after others were faster: each time, one of them is done. */
const ATTEMPTS = 20;

/** Says that the record went away between the look and the change. */
const GONE: ReadonlySet<ErrorCode> = new Set(['ERR_TOKEN_UNKNOWN', 'ERR_TOKEN_EXPIRED']);

export function createUpserting(parts: VaultParts): Pick<Vault, 'upsert'> {
  const { replace } = createReplacing(parts);
  return {
    async upsert(caller, request, begun = async () => {}) {
      const { reference } = request;
      const accepted = { ...accept(parts, caller, { ...request, kind: 'pointer' }), reference };
      const key = { tenant: accepted.tenant, reference };
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const seen = await parts.references.find(key);
        const record = seen === undefined ? undefined : await recordBehind(parts, key, seen);
        requireVersion(request, record?.revision ?? 0);
        const done =
          record === undefined
            ? await make(parts, accepted, key, seen)
            : await replaceRecord(replace, caller, request, record, begun);
        if (done !== undefined) return done;
      }
      throw busy(ATTEMPTS);
    },
  };
}

/** @returns Undefined where the token was deleted or has expired, so that another takes its place. */
async function recordBehind(
  parts: VaultParts,
  { tenant, reference }: ReferenceKey,
  token: string,
): Promise<TokenRecord | undefined> {
  const found = await parts.store.find({ tenant, token });
  try {
    const record = liveRecord(parts, { token }, found);
    await requireOwn(parts, record, reference);
    return record;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/**
 * Makes sure that the record is the one that was made for the reference, before it is replaced: who may
 * write the table could make the reference lead to the record of another. One message is opened, since
 * every message is bound to the reference, and what the row says of itself proves nothing.
 *
 * @throws {RecordUnopenableError}
 */
async function requireOwn({ sealer }: VaultParts, record: TokenRecord, reference: string): Promise<void> {
  const [[name, field] = []] = record.fields;
  if (record.reference !== reference || name === undefined || field === undefined) {
    throw new RecordUnopenableError();
  }
  await openField(sealer, record, name, field);
}

/** @throws {TokenmeshError} `ERR_VERSION_CONFLICT` */
function requireVersion({ version }: UpsertRequest, found: number): void {
  if (version !== undefined && version !== found) throw conflictOf(version, found);
}

/**
 * Stores record and reference in one step: where another is faster, nothing of this one stays behind.
 *
 * @returns Undefined then.
 */
async function make(
  parts: VaultParts,
  accepted: Accepted,
  key: ReferenceKey,
  seen: string | undefined,
): Promise<Upserted | undefined> {
  const record = await seal(parts, accepted);
  if ((await parts.references.point(key, record, seen)) === 'conflict') return undefined;
  return { ...tokenizedOf(record, accepted), version: 1, isNew: true };
}

/** @returns Undefined where others were faster, or the record is gone by now. */
async function replaceRecord(
  replace: Vault['replace'],
  caller: Caller,
  { fields, version }: UpsertRequest,
  { tenant, token, createdAt, expiresAt }: TokenRecord,
  begun: (token: string) => Promise<void>,
): Promise<Upserted | undefined> {
  await begun(token);
  try {
    const replaced = await replace(caller, {
      ...{ token, tenant, fields },
      ...(version === undefined ? {} : { version }),
    });
    return { ...replaced, createdAt, ...(expiresAt === undefined ? {} : { expiresAt }), isNew: false };
  } catch (error) {
    const isOvertaken = error instanceof TokenmeshError && error.code === 'ERR_VERSION_CONFLICT';
    // With a version the next round tells which one there is now.
    if (isGone(error) || isOvertaken) return undefined;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof TokenmeshError && GONE.has(error.code);
}
