import { TokenmeshError } from '../../../errors/error.ts';
import type { TokenFormat } from './formats/format.ts';
import { FORMAT_NAMES, isFormatName, TOKEN_FORMATS } from './formats/registry.ts';

/**
 * What a token does: `random` leads to its record for as long as that lives, `one-time` once,
 * `pointer` to a record that may be replaced. `deterministic` is the same token for the same value, and
 * so is `one-way`, which keeps no value and leads to none.
 */
export type TokenKind = 'random' | 'one-time' | 'pointer' | 'deterministic' | 'one-way';

/** A new token for every request, from randomness alone: it tells nothing of the value. */
export const RANDOM_KIND = 'random';

/** `tkn_` and forty letters: docs/token-format.md. */
export const DEFAULT_FORMAT = 'default';

/**
 * The formats that go with each kind. A token that has the shape of its value is of no use once: what
 * it stands in for is read many times. And it would tell a lie once the value behind a pointer is another.
 */
const FORMATS_OF_KIND: Readonly<Record<TokenKind, readonly string[]>> = {
  random: FORMAT_NAMES,
  'one-time': ['default', 'uuid', 'region'],
  pointer: ['default', 'uuid', 'region'],
  // A token of the format `region` names who made it: two regions would not make the same one.
  deterministic: FORMAT_NAMES.filter((name) => name !== 'region'),
  // Nobody can tell from the record whether a smaller token is another value's.
  'one-way': ['default', 'uuid', 'email'],
};

/** Whether the same value has the same token. */
export function followsFromValue(kind: TokenKind): boolean {
  return kind === 'deterministic' || kind === 'one-way';
}

export const TOKEN_KINDS = Object.keys(FORMATS_OF_KIND) as readonly TokenKind[];

export function isTokenKind(name: string): name is TokenKind {
  return Object.hasOwn(FORMATS_OF_KIND, name);
}

/** @throws {TokenmeshError} `ERR_KIND_UNSUPPORTED`, listing what there is. */
export function parseKind(
  kind: string = RANDOM_KIND,
  format: string = DEFAULT_FORMAT,
): { readonly kind: TokenKind; readonly format: TokenFormat } {
  if (isTokenKind(kind) && isFormatName(format) && FORMATS_OF_KIND[kind].includes(format)) {
    return { kind, format: TOKEN_FORMATS[format] };
  }
  throw new TokenmeshError({
    code: 'ERR_KIND_UNSUPPORTED',
    message: `the token kind or format is not supported: expected ${SUPPORTED}`,
    remedy: 'leave kind and format out, or use two that go together',
  });
}

/**
 * A record that may be replaced or used up is not found by its value, and a one-way one has none to be found again by.
 *
 * @throws {TokenmeshError} `ERR_KIND_UNSUPPORTED`
 */
export function requireFindable(kind: TokenKind, fields: readonly { readonly searchable?: true }[]): void {
  if (kind === 'random' || kind === 'deterministic') return;
  if (fields.every(({ searchable }) => searchable !== true)) return;
  throw new TokenmeshError({
    code: 'ERR_KIND_UNSUPPORTED',
    message: `a token of the kind "${kind}" cannot be searched for: expected "random" or "deterministic"`,
    remedy: 'leave "searchable" out, or ask for one of these kinds',
  });
}

/** For messages and the OpenAPI document. */
export const SUPPORTED = TOKEN_KINDS.map(
  (kind) => `kind "${kind}" with format ${FORMATS_OF_KIND[kind].map((name) => `"${name}"`).join(', ')}`,
).join('; ');
