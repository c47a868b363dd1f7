/**
 * What is to be done about one row, and the messages that it is done with.
 *
 * A message under an older version is opened and its value sealed again, into a message of its own with
 * another message id and another data key. The wrapped key alone is never exchanged: whoever once had the
 * old version may know the data key.
 *
 * @module
 */

import { branchKeyIdOf } from '../crypto/branch-key-id.ts';
import { branchKeyVersionOf } from '../crypto/branch-key-version.ts';
import type { BranchKeyDescription, BranchKeySource } from '../crypto/key-source.ts';
import { contextOf, type EncryptionContext } from '../encryption-context.ts';
import {
  KeyUnavailableError,
  RecordUnopenableError,
  SubjectShreddedError,
  TenantShreddedError,
} from '../errors.ts';
import type { FieldSealer, SealedCode, SealedField, TokenRecord, TokenStore } from '../ports.ts';
import { codeContext } from '../security-code.ts';
import type { LeftKind } from './progress.ts';
import type { SealedRow } from './ports.ts';

export interface SealingAnewParts {
  readonly sealer: FieldSealer;
  readonly versions: Pick<BranchKeySource, 'describe'>;
  readonly store: Pick<TokenStore, 'find'>;
}

export type Plan =
  | { readonly is: LeftKind | 'current' | 'expired'; readonly row: SealedRow }
  | {
      readonly is: 'record';
      readonly record: TokenRecord;
      readonly fields: ReadonlyMap<string, SealedField>;
    }
  | { readonly is: 'code'; readonly code: SealedCode; readonly message: Uint8Array };

export interface PlanOptions {
  readonly now: Date;
  /** Messages of the newest version too. */
  readonly isAllAnew: boolean;
  /** {@link BranchKeySource.describe}, asked once for each key. */
  readonly describe: (id: string) => Promise<BranchKeyDescription>;
}

/**
 * @throws {KeyUnavailableError} where a key cannot be had, or this task does not seal under the newest yet.
 * @throws {StoreUnavailableError}
 */
export async function planOf(parts: SealingAnewParts, row: SealedRow, options: PlanOptions): Promise<Plan> {
  try {
    if (row.kind === 'record') return await planOfRecord(parts, row.record, options);
    if (row.kind === 'code') return await planOfCode(parts, row.code, options);
    return { is: 'unreadable', row };
  } catch (error) {
    if (error instanceof RecordUnopenableError) return { is: 'unopenable', row };
    if (error instanceof TenantShreddedError || error instanceof SubjectShreddedError)
      return { is: 'shredded', row };
    throw error;
  }
}

async function planOfRecord(
  parts: SealingAnewParts,
  record: TokenRecord,
  options: PlanOptions,
): Promise<Plan> {
  const row = { kind: 'record', record } as const;
  if (record.expiresAt !== undefined && options.now >= record.expiresAt) return { is: 'expired', row };
  const fields = new Map(record.fields);
  let isChanged = false;
  for (const [name, field] of record.fields) {
    const context = contextOf(record, name, field.class);
    const message = await sealedAnew(parts, field.message, context, options);
    if (message === 'current') continue;
    fields.set(name, { ...field, message });
    isChanged = true;
  }
  return isChanged ? { is: 'record', record, fields } : { is: 'current', row };
}

/** A code whose record is gone can be read by nobody any more, and goes within the hour. */
async function planOfCode(parts: SealingAnewParts, code: SealedCode, options: PlanOptions): Promise<Plan> {
  const row = { kind: 'code', code } as const;
  if (options.now >= code.expiresAt) return { is: 'expired', row };
  const record = await parts.store.find(code);
  if (record === undefined) return { is: 'expired', row };
  const context = codeContext(record, code.field, code.expiresAt);
  const message = await sealedAnew(parts, code.message, context, options);
  return message === 'current' ? { is: 'current', row } : { is: 'code', code, message };
}

async function sealedAnew(
  { sealer }: SealingAnewParts,
  message: Uint8Array,
  context: EncryptionContext,
  { isAllAnew, describe }: PlanOptions,
): Promise<Uint8Array | 'current'> {
  const { active, isDestroyed } = await describe(branchKeyIdOf(context));
  const isCurrent = !isDestroyed && active !== undefined && branchKeyVersionOf(message) === active;
  if (isCurrent && !isAllAnew) return 'current';
  const value = await sealer.open(message, context);
  try {
    const sealed = await sealer.seal(value, context);
    if (branchKeyVersionOf(sealed) !== active) throw new KeyUnavailableError();
    return sealed;
  } finally {
    value.fill(0);
  }
}
