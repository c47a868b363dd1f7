/**
 * Encrypts the fields of a JSON text, and leaves every other byte of it as it was.
 *
 * @module
 */

import { visit, type JSONPath } from 'jsonc-parser';
import { parseMark } from '../sidecar/tokenizer/core/marks/mark.ts';
import { edgeProblem } from './answers.ts';
import type { EdgeField } from './config.ts';

/** Arrays and objects in one another, as the tokenizer takes them. */
const MAX_DEPTH = 64;

interface Splice {
  readonly offset: number;
  readonly length: number;
  readonly by: string;
}

/**
 * @param seal - Makes the mark of a value.
 * @returns The text with a mark, as a string, in place of each value of a field. A field may stand anywhere, any
 *   number of times, and may be an array; a number is sealed as it is written. `null` and marks stay as they are.
 * @throws {EdgeProblem} where it is not sure what the text says: not JSON, a member twice, a field that is an
 *   object or a truth value.
 */
export function encryptFields(
  text: string,
  fields: readonly EdgeField[],
  seal: (fieldClass: EdgeField['class'], value: string) => string,
): string {
  requireJson(text);
  const splices: Splice[] = [];
  const members: Set<string>[] = [];
  const enter = (): void => {
    members.push(new Set());
    if (members.length > MAX_DEPTH) throw edgeProblem('ERR_EDGE_BODY_TOO_DEEP');
  };
  visit(text, {
    onObjectBegin: (_offset, _length, _line, _character, pathOf) => {
      if (fieldAt(fields, pathOf()) !== undefined) throw edgeProblem('ERR_EDGE_FIELD_TYPE');
      enter();
    },
    onObjectProperty: (name) => {
      const seen = members.at(-1);
      if (seen?.has(name) === true) throw edgeProblem('ERR_EDGE_MEMBER_TWICE');
      seen?.add(name);
    },
    onObjectEnd: () => void members.pop(),
    onArrayBegin: enter,
    onArrayEnd: () => void members.pop(),
    onLiteralValue: (value: unknown, offset, length, _line, _character, pathOf) => {
      const field = fieldAt(fields, pathOf());
      if (field === undefined || value === null) return;
      if (typeof value === 'boolean') throw edgeProblem('ERR_EDGE_FIELD_TYPE');
      const written = typeof value === 'string' ? value : text.slice(offset, offset + length);
      if (parseMark(written) !== undefined) return;
      splices.push({ offset, length, by: JSON.stringify(seal(field.class, written)) });
    },
  });
  return spliced(text, splices);
}

/** The parser that tells of offsets is lenient; this one is not. */
function requireJson(text: string): void {
  try {
    JSON.parse(text);
  } catch {
    throw edgeProblem('ERR_EDGE_BODY_NOT_JSON');
  }
}

/** The field whose names are the last of the path, with places in arrays left out. */
function fieldAt(fields: readonly EdgeField[], path: JSONPath): EdgeField | undefined {
  const names = path.filter((each) => typeof each === 'string');
  return fields.find((field) =>
    field.names.every((name, index) => names.at(index - field.names.length) === name),
  );
}

function spliced(text: string, splices: readonly Splice[]): string {
  let place = 0;
  const parts = splices.map(({ offset, length, by }) => {
    const kept = text.slice(place, offset);
    place = offset + length;
    return kept + by;
  });
  return parts.join('') + text.slice(place);
}
