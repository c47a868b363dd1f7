import type { FieldClass } from './field-class.ts';

/**
 * What a message is bound to, in exactly these four entries (docs/record-format.md), and for the
 * record of a pointer a fifth: `revision`, so that no older message opens under a newer revision.
 *
 * A type and not an interface, so that it is a record of strings to the Encryption SDK.
 */
export type EncryptionContext = {
  readonly tenant: string;
  readonly token: string;
  readonly field: string;
  readonly class: FieldClass;
  readonly revision?: string;
};

/** The context of one field of a record. A record without a revision has four entries, and not a fifth that is empty. */
export function contextOf(
  { tenant, token, revision }: BoundRecord,
  field: string,
  fieldClass: FieldClass,
): EncryptionContext {
  const context = { tenant, token, field, class: fieldClass };
  return revision === undefined ? context : { ...context, revision: String(revision) };
}

interface BoundRecord {
  readonly tenant: string;
  readonly token: string;
  readonly revision?: number;
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
