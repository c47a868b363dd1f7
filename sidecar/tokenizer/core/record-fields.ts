/**
 * What a record has in its fields: their classes, and the texts behind them.
 *
 * @module
 */

import { contextOf, type BoundRecord } from './encryption-context.ts';
import type { FieldClass } from './field-class.ts';
import type { FieldSealer, SealedField, TokenRecord } from './ports.ts';

/**
 * The text behind one field of a record.
 *
 * @throws What {@link FieldSealer.open} throws.
 */
export async function openField(
  sealer: FieldSealer,
  record: BoundRecord,
  name: string,
  { class: fieldClass, message }: SealedField,
): Promise<string> {
  return Buffer.from(await sealer.open(message, contextOf(record, name, fieldClass))).toString('utf8');
}

/** The class of each field of a record, by its name; that of the security code beside it is among them. */
export function classesByField({ fields, code }: TokenRecord): (readonly [string, FieldClass])[] {
  const kept = [...fields].map(([name, field]) => [name, field.class] as const);
  return code === undefined ? kept : [...kept, [code.field, 'cvv']];
}

export function classesOf(record: TokenRecord): FieldClass[] {
  return classesByField(record).map(([, fieldClass]) => fieldClass);
}
