import { TokenmeshError } from '../../../errors/error.ts';
import { mayDo } from './access.ts';
import type { FieldClass } from './field-class.ts';
import { isSmall, SMALL_POSSIBILITIES, type Kept, type TokenFormat } from './formats/format.ts';
import type { Policy } from './policy.ts';
import type { TokenKind } from './token-kind.ts';
import type { Caller, TokenizeRequest } from './vault.ts';

/** What token a record is to get. */
export interface TokenChoice {
  readonly kind: TokenKind;
  readonly format: TokenFormat;
  readonly kept: Kept;
  /** Whether a token of the format `default` will do where none of this one is free. */
  readonly widens: boolean;
}

interface ClassedValue {
  readonly class: FieldClass;
  readonly value: string;
}

/**
 * @param fields - Checked already: a format takes its shape from a value that fits its class.
 * @throws {TokenmeshError} `ERR_FORMAT_UNFIT`, `ERR_SMALL_FORMAT`
 */
export function chooseToken(
  { kind, format }: Pick<TokenChoice, 'kind' | 'format'>,
  { allowSmallFormat = false, onExhaustion }: TokenizeRequest,
  fields: readonly ClassedValue[],
): TokenChoice {
  const kept = format.keptOf(shapingValue(format, fields));
  if (isSmall(format, kept) && !allowSmallFormat) throw notAskedFor(format);
  return { kind, format, kept, widens: onExhaustion === 'widen' };
}

function shapingValue({ name, fieldClass }: TokenFormat, fields: readonly ClassedValue[]): string {
  if (fieldClass === undefined) return '';
  const [only, ...others] = fields.filter((each) => each.class === fieldClass);
  if (only !== undefined && others.length === 0) return only.value;
  throw new TokenmeshError({
    code: 'ERR_FORMAT_UNFIT',
    message: `the record does not fit the token format "${name}": expected exactly one field of class ${fieldClass}, got ${only === undefined ? 0 : others.length + 1}`,
    remedy: `send one field of class ${fieldClass}, or ask for the format "default"`,
  });
}

function notAskedFor({ name }: TokenFormat): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_SMALL_FORMAT',
    message: `the token format "${name}" has fewer than ${SMALL_POSSIBILITIES} possibilities, so its tokens can be guessed and run out: expected "allowSmallFormat": true`,
    remedy: 'ask for a format with more possibilities, or add "allowSmallFormat": true to the request',
  });
}

/**
 * Asks the policy once more where the format is small: a request cannot permit itself.
 *
 * @throws {TokenmeshError} `ERR_SMALL_FORMAT_DENIED`
 */
export function requireSmallFormat(
  policy: Policy,
  caller: Caller,
  tenant: string,
  { kind, format, kept }: TokenChoice,
  classes: readonly FieldClass[],
): void {
  if (!isSmall(format, kept)) return;
  const traits = { kind, format: format.name, smallFormat: true };
  const question = { ...traits, operation: 'tokenize', tenant } as const;
  if (classes.every((name) => mayDo(policy, caller, { ...question, class: name }))) return;
  throw new TokenmeshError({
    code: 'ERR_SMALL_FORMAT_DENIED',
    message: `${caller.identity} may not make tokens of the format "${format.name}", which has fewer than ${SMALL_POSSIBILITIES} possibilities`,
    remedy:
      'set smallFormats on the grant in the mesh definition, or ask for a format with more possibilities',
  });
}
