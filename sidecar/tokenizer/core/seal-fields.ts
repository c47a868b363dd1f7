import { contextOf, type BoundRecord } from './encryption-context.ts';
import type { FieldClass } from './field-class.ts';
import type { FieldSealer, SealedField } from './ports.ts';

export interface NamedField {
  readonly field: string;
  readonly class: FieldClass;
  readonly value: string;
  /** What is sealed, where it was written another way than it is checked. @default the value */
  readonly written?: string;
  /** Whether the record is to be found by the value. */
  readonly searchable?: true;
}

/** Seals every field of a record into a message of its own, bound to the record, its name and its class. */
export async function sealFields(
  sealer: FieldSealer,
  record: BoundRecord,
  fields: readonly NamedField[],
): Promise<ReadonlyMap<string, SealedField>> {
  const sealed = new Map<string, SealedField>();
  for (const { field, class: fieldClass, value, written = value, searchable } of fields) {
    const context = contextOf(record, field, fieldClass);
    const message = await sealer.seal(Buffer.from(written, 'utf8'), context);
    sealed.set(field, { class: fieldClass, message, ...(searchable === undefined ? {} : { searchable }) });
  }
  return sealed;
}
