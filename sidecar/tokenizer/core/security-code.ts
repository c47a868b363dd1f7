/**
 * Security codes of cards: items of their own, which live an hour at most and are read once.
 *
 * PCI DSS 4.0 requirement 3.3.1: a code must not be kept once a payment is authorized. The one read that
 * there is takes it away before it is shown; what is never read goes within the hour.
 *
 * @module
 */

import { TokenmeshError } from '../../../errors/error.ts';
import { contextOf, type EncryptionContext } from './encryption-context.ts';
import { StoreUnavailableError } from './errors.ts';
import { showField } from './field-class.ts';
import type { SealedCode, TokenRecord } from './ports.ts';
import type { NamedField } from './seal-fields.ts';
import type { TokenKind } from './token-kind.ts';
import type { VaultParts } from './vault.ts';

/** However long its record lives. */
export const MAX_CODE_MS = 60 * 60 * 1000;

export interface AcceptedCode {
  readonly field: string;
  readonly value: string;
  readonly expiresAt: Date;
}

/** What is kept in the record, and the code that is not. */
export interface ParsedFields {
  readonly fields: readonly NamedField[];
  readonly code?: AcceptedCode;
}

/** @throws {TokenmeshError} `ERR_VALUE_INVALID` for a second code, for one in a record that is no ordinary one, and to be searched for. */
export function partCode(
  all: readonly NamedField[],
  kind: TokenKind,
  createdAt: Date,
  expiresAt: Date | undefined,
): ParsedFields {
  const [code, ...others] = all.filter((field) => field.class === 'cvv');
  if (code === undefined) return { fields: all };
  if (kind !== 'random') requireNoCode(all, `a token of the kind "${kind}"`);
  if (others.length > 0) {
    throw new TokenmeshError({
      code: 'ERR_VALUE_INVALID',
      message: `a record has one security code at most: expected one field of class cvv, got ${others.length + 1}`,
      remedy: 'send one record for each card',
    });
  }
  if (code.searchable === true) {
    throw new TokenmeshError({
      code: 'ERR_VALUE_INVALID',
      message: `field ${showField(code.field)} is a security code: expected one that is not searched for, got "searchable"`,
      remedy: 'leave "searchable" out: nothing of a code is kept, no fingerprint either',
    });
  }
  const latest = createdAt.getTime() + MAX_CODE_MS;
  return {
    fields: all.filter((field) => field !== code),
    code: {
      field: code.field,
      value: code.value,
      expiresAt: new Date(Math.min(latest, expiresAt?.getTime() ?? latest)),
    },
  };
}

/** @throws {TokenmeshError} `ERR_VALUE_INVALID` */
export function requireNoCode(fields: readonly NamedField[], what: string): void {
  const code = fields.find((field) => field.class === 'cvv');
  if (code === undefined) return;
  throw new TokenmeshError({
    code: 'ERR_VALUE_INVALID',
    message: `field ${showField(code.field)} is a security code: expected none in ${what}`,
    remedy: 'tokenize it in a record of the kind "random"',
  });
}

/**
 * Stores the code beside its record, which is stored already: the record is what makes the token ours.
 *
 * @throws {StoreUnavailableError} and the token must not be handed out.
 */
export async function storeCode({ store }: VaultParts, code: SealedCode | undefined): Promise<void> {
  if (code === undefined) return;
  const [outcome] = await store.insertCodes([code]);
  if (outcome !== 'stored') throw new StoreUnavailableError();
}

/** Comes before the record is stored: a key that cannot be had must leave no record behind whose token nobody gets. */
export async function sealCode(
  { sealer }: VaultParts,
  record: TokenRecord,
  code: AcceptedCode | undefined,
): Promise<SealedCode | undefined> {
  if (code === undefined) return undefined;
  const { field, value, expiresAt } = code;
  const { tenant, token } = record;
  const message = await sealer.seal(Buffer.from(value, 'utf8'), codeContext(record, field, expiresAt));
  return { tenant, token, field, message, expiresAt };
}

/**
 * Takes the code away, and gives it to who took it.
 *
 * It is opened first: one that does not open is not lost for it.
 *
 * @throws {TokenmeshError} `ERR_CODE_GONE` for all readers but one, and once it has expired.
 * @throws {StoreUnavailableError} when no answer came. It may be gone then, and nobody has seen it.
 */
export async function takeCode(
  { store, sealer, now }: VaultParts,
  record: TokenRecord,
  { field, expiresAt }: { readonly field: string; readonly expiresAt: Date },
): Promise<string> {
  if (now() >= expiresAt) throw codeGone();
  const code = await store.findCode(record);
  if (code === undefined) throw codeGone();
  const value = await sealer.open(code.message, codeContext(record, field, expiresAt));
  if ((await store.consumeCode(record)) === 'gone') throw codeGone();
  return Buffer.from(value).toString('utf8');
}

/** The code is bound to its own expiry, and not to the record's. */
export function codeContext(record: TokenRecord, field: string, expiresAt: Date): EncryptionContext {
  return contextOf({ ...record, expiresAt }, field, 'cvv');
}

function codeGone(): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_CODE_GONE',
    message: 'the security code is gone: expected its first read, within the hour, got a later one',
    remedy: 'ask the cardholder for it again; nobody can have it back',
  });
}
