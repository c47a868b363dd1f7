/**
 * What a text must look like to be a token, told with no store at hand.
 *
 * Pure and free of packages, so that a program that only has to recognize
 * tokens can import this file alone. The formats: docs/token-format.md.
 *
 * @module
 */

import { TokenmeshError } from '../../../errors/error.ts';
import type { FormatName } from './formats/format.ts';
import { formatOf } from './formats/registry.ts';

export { mintToken, TOKEN_RANDOM_BYTES } from './formats/default.ts';

/** What a text is by its looks. Whether such a token exists, only the vault knows. */
export interface RecognizedToken {
  /** The first format with this grammar: `pan` for `pan-random` too, `ssn` for `ssn-last-four` too. */
  readonly format: FormatName;
  /**
   * Whether it has a prefix or domain of ours and a checksum that holds. Where not, it is possibly a
   * token: others make UUIDs too, and a shape of digits has room for no mark but the ranges it avoids.
   */
  readonly certain: boolean;
}

/** @returns Undefined for a text that no format of ours fits, a valid card number among them. */
export function isToken(text: string): RecognizedToken | undefined {
  const format = formatOf(text);
  return format === undefined ? undefined : { format: format.name, certain: format.isCertain };
}

/** @throws {TokenmeshError} `ERR_TOKEN_MALFORMED`, which tells the shape of `text` and none of it. */
export function parseToken(text: string): string {
  if (isToken(text) !== undefined) return text;
  throw new TokenmeshError({
    code: 'ERR_TOKEN_MALFORMED',
    message: `the token is malformed: expected the grammar of a token format, with a checksum that holds, got ${text.length} characters that fit none`,
    remedy: 'send the token as it was handed out, whole and unchanged',
  });
}
