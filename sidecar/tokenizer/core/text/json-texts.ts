/**
 * The texts of a JSON document: its strings, the names of its members and the
 * numbers that could be somebody's, each with its place.
 *
 * @module
 */

import { classOfFieldName } from './field-names.ts';

export interface JsonText {
  readonly text: string;
  /** A JSON pointer (RFC 6901), whose names are those of the answer: a name may itself be a value. */
  readonly path: string;
  /** What the text is the value of; for an element of an array, the array. */
  readonly name?: string;
  readonly kind: 'string' | 'number' | 'name';
}

/** What a text becomes; itself where nothing was found in it. */
export type ReplaceText = (text: JsonText) => Promise<string>;

/**
 * Rebuilds a document with every text replaced, always in the same order.
 *
 * @param document - Of a depth that was checked: this descends into it.
 */
export async function mapTexts(document: unknown, replace: ReplaceText): Promise<unknown> {
  return await mapValue(document, { path: '' }, replace);
}

interface Place {
  readonly path: string;
  readonly name?: string;
}

async function mapValue(value: unknown, place: Place, replace: ReplaceText): Promise<unknown> {
  if (typeof value === 'string') return await replace({ ...textOf(place), text: value, kind: 'string' });
  if (typeof value === 'number') return await mapNumber(value, place, replace);
  if (typeof value !== 'object' || value === null) return value;
  return Array.isArray(value)
    ? await mapArray(value, place, replace)
    : await mapObject(value as Readonly<Record<string, unknown>>, place, replace);
}

function textOf({ path, name }: Place): Pick<JsonText, 'path' | 'name'> {
  return { path, ...(name === undefined ? {} : { name }) };
}

/** A number that JSON cannot hold exactly lost its digits before it came here. */
async function mapNumber(value: number, place: Place, replace: ReplaceText): Promise<unknown> {
  if (!Number.isSafeInteger(value) || value < 100) return value;
  const text = String(value);
  const replaced = await replace({ ...textOf(place), text, kind: 'number' });
  return replaced === text ? value : replaced;
}

async function mapArray(values: readonly unknown[], place: Place, replace: ReplaceText): Promise<unknown[]> {
  const mapped: unknown[] = [];
  for (const [index, value] of values.entries()) {
    mapped.push(await mapValue(value, { ...place, path: `${place.path}/${index}` }, replace));
  }
  return mapped;
}

async function mapObject(
  members: Readonly<Record<string, unknown>>,
  place: Place,
  replace: ReplaceText,
): Promise<unknown> {
  const mapped = new Map<string, unknown>();
  for (const [name, value] of Object.entries(members)) {
    const shown = freeName(
      await replace({ path: place.path, text: name, kind: 'name' }),
      mapped,
      members,
      name,
    );
    const path = `${place.path}/${shown.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    mapped.set(shown, await mapValue(value, { path, name: nameFor(name, place) }, replace));
  }
  return Object.fromEntries(mapped);
}

/** Two names may have one mask; neither member may be lost for that. */
function freeName(
  wanted: string,
  taken: ReadonlyMap<string, unknown>,
  members: Readonly<Record<string, unknown>>,
  original: string,
): string {
  if (wanted === original) return wanted;
  let name = wanted;
  for (let count = 2; taken.has(name) || Object.hasOwn(members, name); count += 1)
    name = `${wanted} ${count}`;
  return name;
}

/** Parts of a name or an address are one too, whatever they are called: `{ "address": { "city": ... } }`. */
function nameFor(name: string, { name: outer }: Place): string {
  if (classOfFieldName(name) !== undefined || outer === undefined) return name;
  const whole = classOfFieldName(outer);
  return whole === 'name' || whole === 'address' ? outer : name;
}
