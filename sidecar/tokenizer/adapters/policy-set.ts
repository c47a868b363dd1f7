/**
 * Cedar text to a checked set of policies, or every problem of it, each with its file and line.
 *
 * @module
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  checkParsePolicySet,
  policySetTextToParts,
  policyToJson,
  schemaToJson,
  validate,
  type DetailedError,
  type SchemaJson,
} from '@cedar-policy/cedar-wasm/nodejs';
import { TokenmeshError } from '../../../errors/error.ts';
import { MESH_POLICY_PREFIX } from '../core/policy.ts';

/** The folder of the policies that ship with the service, beside the schema of all. */
export const SHIPPED_POLICIES_DIRECTORY = join(import.meta.dirname, '..', 'policies');

const SCHEMA_FILE = join(SHIPPED_POLICIES_DIRECTORY, 'tokenizer.cedarschema');

/** Cedar text with the name that its problems are told under. */
export interface PolicySource {
  readonly name: string;
  readonly text: string;
  /** Whether it was made from the mesh definition, whose ids nothing else may use. */
  readonly isGenerated?: boolean;
}

/** Policies by id. Only {@link compilePolicySet} makes one: what is in it was checked. */
export type PolicySet = ReadonlyMap<string, string>;

/** An id is logged, counted and kept in audit records: so it is short and plain. */
const POLICY_ID = /^[a-z][a-z0-9.-]{0,127}$/;

/**
 * Checks all sources together and puts them in one set.
 *
 * What Cedar only warns of is refused as well: a policy that can never apply is a mistake, and in a
 * `forbid` a dangerous one.
 *
 * @param identities - The only ones that a policy may name; any where it is left out.
 * @throws {TokenmeshError} `ERR_POLICY_INVALID` with every problem at once.
 */
export function compilePolicySet(
  sources: readonly PolicySource[],
  identities?: readonly string[],
): PolicySet {
  const schema = schemaFor(identities);
  const found = sources.map((source) => ({ source, ...judge(source, schema) }));
  const set = new Map<string, string>();
  const problems = found.flatMap((each) => [...each.problems]);
  const homes = new Map<string, string>();
  for (const { source, policies } of found) {
    for (const { id, text, place } of policies) {
      const home = homes.get(id);
      if (home !== undefined) problems.push(`${place}: expected an @id of its own, got "${id}" of ${home}`);
      homes.set(id, source.name);
      set.set(id, text);
    }
  }
  if (problems.length === 0) return set;
  throw new TokenmeshError({
    code: 'ERR_POLICY_INVALID',
    message: `the policies are not valid: ${problems.join('; ')}`,
    remedy: sources.every((each) => each.isGenerated === true)
      ? 'correct the vaultAccess of the mesh definition that they are made from'
      : 'correct what is named, and see that all is well with: npm run mesh -- policy check <folder>',
  });
}

interface Judged {
  readonly policies: readonly { readonly id: string; readonly text: string; readonly place: string }[];
  readonly problems: readonly string[];
}

function judge(source: PolicySource, schema: SchemaJson<string>): Judged {
  const parsed = checkParsePolicySet({ staticPolicies: source.text });
  if (parsed.type === 'failure') return { policies: [], problems: parsed.errors.map(tell(source)) };
  const validated = validate({ schema, policies: { staticPolicies: source.text } });
  const faults =
    validated.type === 'failure'
      ? validated.errors
      : [
          ...[...validated.validationErrors, ...validated.validationWarnings].map(({ error }) => error),
          ...validated.otherWarnings,
        ];
  const parts = policySetTextToParts(source.text);
  const texts = parts.type === 'failure' ? [] : parts.policies;
  const named = placesOf(source, texts).map((each) => ({ ...each, id: idOf(each.text) }));
  return {
    policies: named,
    problems: [
      ...new Set(faults.map(tell(source))),
      ...named.flatMap(({ id, place }) => idProblems(source, id, place)),
      ...(texts.length === 0 && source.isGenerated !== true
        ? [`${source.name}: expected at least one policy, got none; remove the file if that is meant`]
        : []),
    ],
  };
}

function idOf(text: string): string {
  const parsed = policyToJson(text);
  return parsed.type === 'success' ? (parsed.json.annotations?.['id'] ?? '') : '';
}

function idProblems(source: PolicySource, id: string, place: string): string[] {
  if (!POLICY_ID.test(id)) {
    const got = id === '' ? 'none' : 'another';
    return [
      `${place}: expected an annotation @id("...") of lower-case letters, digits, "." and "-" before the policy, got ${got}`,
    ];
  }
  if (source.isGenerated === true || !id.startsWith(MESH_POLICY_PREFIX)) return [];
  return [`${place}: expected an @id that does not begin with "${MESH_POLICY_PREFIX}", got "${id}"`];
}

/** The schema that ships, with the identities that a policy may name. */
function schemaFor(identities: readonly string[] | undefined): SchemaJson<string> {
  const parsed = schemaToJson(readFileSync(SCHEMA_FILE, 'utf8'));
  if (parsed.type === 'failure') {
    throw new TokenmeshError({
      code: 'ERR_POLICY_INVALID',
      message: `the schema of the policies is not valid: ${parsed.errors.map((each) => each.message).join('; ')}`,
      remedy: 'restore tokenizer.cedarschema, which ships with the service',
    });
  }
  const namespace = parsed.json[''];
  if (identities === undefined || namespace === undefined) return parsed.json;
  const entityTypes = { ...namespace.entityTypes, Identity: { enum: [...identities] } };
  return { '': { ...namespace, entityTypes } };
}

/** Cedar numbers policies that have no name here yet; file and line say more. */
function tell(source: PolicySource): (error: DetailedError) => string {
  return ({ message, help, sourceLocations }) => {
    const [location] = sourceLocations ?? [];
    const place =
      location === undefined ? source.name : `${source.name}:${lineAt(source.text, location.start)}`;
    const what = message.replace(/^for policy `policy\d+`(, |: )/, '').replaceAll(/\s+/g, ' ');
    const expected = help ?? location?.label ?? undefined;
    const text = expected === undefined ? what : `${what} (${expected.replaceAll(/\s+/g, ' ')})`;
    return `${place}: ${text.replaceAll(/\d{6,}/g, '[digits]').slice(0, 400)}`;
  };
}

/**
 * Where each policy stands: in the order of the file, since one may hold the text of another.
 *
 * @param texts - As Cedar cut them out of the source: unchanged, sorted by `policy0`, `policy1`, `policy10`.
 */
function placesOf(source: PolicySource, texts: readonly string[]): { text: string; place: string }[] {
  const numbers = texts.map((_, number) => `policy${number}`).toSorted();
  const inOrder = texts.map((_, number) => texts[numbers.indexOf(`policy${number}`)] ?? '');
  const bytes = Buffer.from(source.text);
  let from = 0;
  return inOrder.map((text) => {
    const start = Math.max(from, bytes.indexOf(text, from));
    from = start + Buffer.byteLength(text);
    return { text, place: `${source.name}:${lineAt(source.text, start)}` };
  });
}

/** @param offset - In bytes of UTF-8, as Cedar counts. */
function lineAt(text: string, offset: number): number {
  return Buffer.from(text).subarray(0, offset).toString('utf8').split('\n').length;
}
