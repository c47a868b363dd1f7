/**
 * Which column of a file is what: every one is said, so that none is lost or sent by mistake.
 *
 * @module
 */

import { TokenmeshError, withoutDigits } from '../../errors/error.ts';
import { FIELD_CLASS_NAMES } from '../../sidecar/tokenizer/core/field-class.ts';
import type { BulkRecord } from '../part.ts';

export interface ColumnOptions {
  /** Class by column, for columns that are not named after their class. */
  readonly classes: Readonly<Record<string, string>>;
  /** Columns that are not sent, and stand beside the token in what comes back. */
  readonly kept: readonly string[];
}

export interface Columns {
  /** In the order of the file: the class that it is sent as, or undefined where it is kept. */
  readonly all: readonly { readonly name: string; readonly class: string | undefined }[];
}

const FIELD_NAME = /^(?!(?:.*\d){6})[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/** @throws {TokenmeshError} `ERR_COLUMNS_UNCLEAR`, with every column that is. */
export function columnsOf(header: readonly string[], { classes, kept }: ColumnOptions): Columns {
  const all = header.map((name) => ({
    name,
    class: kept.includes(name) ? undefined : (classes[name] ?? name),
  }));
  const asked = [...Object.keys(classes), ...kept];
  const problems = [
    ...all.flatMap((each, index) => (isUsable(each) ? [] : [show(each.name, index)])),
    ...asked.filter((name) => !header.includes(name)).map((name) => `${show(name)} (not in the file)`),
    ...header.flatMap((name, index) =>
      header.indexOf(name) === index ? [] : [`${show(name, index)} (twice)`],
    ),
    ...(all.some((each) => each.class !== undefined) ? [] : ['no column to tokenize']),
  ];
  if (problems.length === 0) return { all };
  throw new TokenmeshError({
    code: 'ERR_COLUMNS_UNCLEAR',
    message: `the columns of the file are not clear: expected a header of distinct names, each a class (${FIELD_CLASS_NAMES.join(', ')}) or said by an option, got ${problems.join(', ')}`,
    remedy:
      'say what a column is by --class <column>=<class>, or that it is not to be sent by --keep <column>',
  });
}

function isUsable(column: { readonly name: string; readonly class: string | undefined }): boolean {
  if (column.class === undefined) return true;
  return (FIELD_CLASS_NAMES as readonly string[]).includes(column.class) && FIELD_NAME.test(column.name);
}

/** A file without a header has values there: what does not look like a name is told by its place. */
function show(name: string, index?: number): string {
  if (FIELD_NAME.test(name) || index === undefined) return JSON.stringify(withoutDigits(name).slice(0, 40));
  return `column ${index + 1}`;
}

/** The record of a row. An empty cell is no field; a row of empty cells has none, and the tokenizer refuses it. */
export function recordOf({ all }: Columns, cells: readonly string[]): BulkRecord {
  const fields = all.flatMap(({ name, class: fieldClass }, index) => {
    const value = cells[index] ?? '';
    return fieldClass === undefined || value === '' ? [] : [[name, { class: fieldClass, value }] as const];
  });
  return { fields: Object.fromEntries(fields) };
}
