/**
 * What the vault needs of the outside, in its own words.
 *
 * @module
 */

import type { EncryptionContext } from './encryption-context.ts';
import type { FieldClass } from './field-class.ts';
import type { FormatName } from './formats/format.ts';
import type { TokenKind } from './token-kind.ts';

/** One token and what stands behind it. Format at rest: docs/record-format.md. */
export interface TokenRecord {
  readonly tenant: string;
  readonly token: string;
  readonly createdAt: Date;
  /** From this instant on the record counts as gone, to the millisecond. */
  readonly expiresAt?: Date;
  readonly fields: ReadonlyMap<string, SealedField>;
  /** @default 'random' */
  readonly kind?: TokenKind;
  /** @default 'default' */
  readonly format?: FormatName;
  /** Of the record of a pointer, and of no other: 1 at first, one more each time it is replaced. */
  readonly revision?: number;
  /** Whose data it is, where that is sealed under a key of its own, which can be destroyed by itself. */
  readonly subject?: string;
  /** From then until it is restored, nothing of it is revealed or replaced. */
  readonly archivedAt?: Date;
  /** A security code that came with it, which is an item of its own: {@link SealedCode}. */
  readonly code?: { readonly field: string; readonly expiresAt: Date };
  /** The caller's own id that leads to it, where there is one. */
  readonly reference?: string;
  /** When a one-time token was used. Such a record is a tombstone: it has no fields any more. */
  readonly consumedAt?: Date;
}

export interface SealedField {
  readonly class: FieldClass;
  /** One AWS Encryption SDK message. */
  readonly message: Uint8Array;
  /** Whether the record is found by the value. */
  readonly searchable?: true;
}

/** A card's security code, apart from its record: it lives an hour at most, and is read once. */
export interface SealedCode extends RecordKey {
  readonly field: string;
  readonly message: Uint8Array;
  readonly expiresAt: Date;
}

export interface RecordKey {
  readonly tenant: string;
  readonly token: string;
}

export interface TokenStore {
  /**
   * Stores `record`, unless its token is taken.
   *
   * Must be atomic: of two calls with one token, exactly one resolves to
   * `'stored'`. `'taken'` must change nothing; the vault then mints another.
   *
   * @param now - Where given, a record that has expired by then is no reason: it is replaced.
   * @throws {StoreUnavailableError} when no answer came within the deadline.
   *   The write may have happened, so the caller must not hand out the token.
   */
  insert(record: TokenRecord, now?: Date): Promise<'stored' | 'taken'>;

  /**
   * Stores records whose tokens carry 122 random bits or more: no condition is asked.
   *
   * @returns One outcome for each record, in order. `'unavailable'` tells what
   *   {@link TokenStore.insert} throws. Never rejects for a store that is down.
   */
  insertMany(records: readonly TokenRecord[]): Promise<readonly ('stored' | 'unavailable')[]>;

  /**
   * Sees every write that was answered before. Expired records are found like others.
   *
   * @throws {StoreUnavailableError} when no answer came within the deadline.
   * @throws {RecordUnopenableError} for a record that is not of the format.
   */
  find(key: RecordKey): Promise<TokenRecord | undefined>;

  /** As {@link TokenStore.find}, one outcome for each key, in order; a key may be there twice. */
  findMany(keys: readonly RecordKey[]): Promise<readonly FindOutcome[]>;

  /**
   * @returns Whether there was one to remove.
   * @throws {StoreUnavailableError} when no answer came; it may be removed.
   */
  remove(key: RecordKey): Promise<'removed' | 'missing'>;

  /**
   * Leaves a tombstone where a one-time record is that nobody has consumed.
   *
   * Must be atomic: of two calls for one token, exactly one resolves to `'consumed'`. From then on the
   * sealed fields are gone.
   *
   * @param tombstone - With `consumedAt`, and without fields.
   * @throws {StoreUnavailableError} when no answer came. It may be consumed, so nothing may be revealed.
   */
  consume(tombstone: TokenRecord): Promise<'consumed' | 'gone'>;

  /**
   * Puts `record` in the place of the one that has this revision.
   *
   * Must be atomic: of two calls over one revision, exactly one resolves to `'replaced'`. `'conflict'`
   * must change nothing: the record has another revision, is archived, or is not there.
   *
   * @throws {StoreUnavailableError} when no answer came; it may be replaced.
   */
  replace(record: TokenRecord, revision: number): Promise<'replaced' | 'conflict'>;

  /**
   * Sets or clears the time from which on a record is archived.
   *
   * Must be atomic.
   *
   * @param archivedAt - Undefined to restore.
   * @returns The record as it is from then on; `'unchanged'` where it is not there, was used up, or is so already.
   * @throws {StoreUnavailableError} when no answer came; it may be changed.
   */
  archive(key: RecordKey, archivedAt: Date | undefined): Promise<TokenRecord | 'unchanged'>;

  /**
   * Stores security codes beside their records, which are there already and nobody else's.
   *
   * @returns One outcome for each, in order. Never rejects for a store that is down.
   */
  insertCodes(codes: readonly SealedCode[]): Promise<readonly ('stored' | 'unavailable')[]>;

  /**
   * Finds expired codes like others.
   *
   * @throws {StoreUnavailableError} when no answer came within the deadline.
   */
  findCode(key: RecordKey): Promise<SealedCode | undefined>;

  /**
   * Removes a security code.
   *
   * Must be atomic: of two calls for one code, exactly one resolves to `'consumed'`.
   *
   * @throws {StoreUnavailableError} when no answer came. It may be consumed, so nothing may be revealed.
   */
  consumeCode(key: RecordKey): Promise<'consumed' | 'gone'>;

  /** @throws {StoreUnavailableError} unless the store answers a read. */
  checkReachable(): Promise<void>;
}

export type FindOutcome = TokenRecord | 'missing' | 'unavailable' | 'unopenable';

export interface FieldSealer {
  /**
   * Makes one message that opens under exactly this context.
   *
   * @throws {KeyUnavailableError} when the key of the tenant or subject cannot be had.
   * @throws {TenantShreddedError}
   * @throws {SubjectUnknownError} where the context names a subject that has no key.
   */
  seal(plaintext: Uint8Array, context: EncryptionContext): Promise<Uint8Array>;

  /**
   * @throws {RecordUnopenableError} for every message that was changed, moved or made by another.
   * @throws {KeyUnavailableError} when the key cannot be had, so that nothing can be said.
   * @throws {TenantShreddedError} and {SubjectShreddedError} where the key was destroyed.
   */
  open(message: Uint8Array, context: EncryptionContext): Promise<Uint8Array>;
}
