import type { FieldClass } from './field-class.ts';
import { DEFAULT_FORMAT, RANDOM_KIND } from './token-kind.ts';

/**
 * What a message is bound to (docs/record-format.md): four entries always, and one more for each trait
 * that the record has. Whoever may write to the table can take from a record neither its expiry nor
 * that it is read once, can give it no other kind or format, and can put no older message under a newer
 * revision: the message then does not open.
 *
 * A type and not an interface, so that it is a record of strings to the Encryption SDK.
 */
export type EncryptionContext = {
  readonly tenant: string;
  readonly token: string;
  readonly field: string;
  readonly class: FieldClass;
  readonly revision?: string;
  /** Where it is not `random`. */
  readonly kind?: string;
  /** Where it is not `default`. */
  readonly format?: string;
  /** Milliseconds since 1970, in decimal. */
  readonly expiresAtMs?: string;
  /** Whose key it is sealed under, where that is not the tenant's. */
  readonly subject?: string;
  /** The caller's own id that leads to the record. */
  readonly reference?: string;
};

/** The context of one field of a record. What the record has not is left out, and is no empty entry. */
export function contextOf(record: BoundRecord, field: string, fieldClass: FieldClass): EncryptionContext {
  const { tenant, token, revision, kind = RANDOM_KIND, format = DEFAULT_FORMAT, expiresAt } = record;
  const { subject, reference } = record;
  return {
    tenant,
    token,
    field,
    class: fieldClass,
    ...(revision === undefined ? {} : { revision: String(revision) }),
    ...(kind === RANDOM_KIND ? {} : { kind }),
    ...(format === DEFAULT_FORMAT ? {} : { format }),
    ...(expiresAt === undefined ? {} : { expiresAtMs: String(expiresAt.getTime()) }),
    ...(subject === undefined ? {} : { subject }),
    ...(reference === undefined ? {} : { reference }),
  };
}

/** All of a record that its messages are bound to. */
export interface BoundRecord {
  readonly tenant: string;
  readonly token: string;
  readonly revision?: number;
  readonly kind?: string;
  readonly format?: string;
  readonly expiresAt?: Date;
  readonly subject?: string;
  readonly reference?: string;
}

/**
 * Whether a message says of itself what is expected of it, no less and no more.
 *
 * The Encryption SDK authenticates the context that a message carries, not that
 * it is the one the reader means: a message moved to another token opens
 * perfectly well, unless this is asked.
 */
export function isSameContext(expected: EncryptionContext, found: Readonly<Record<string, string>>): boolean {
  const entries = Object.entries(expected);
  return (
    Object.keys(found).length === entries.length && entries.every(([name, value]) => found[name] === value)
  );
}
