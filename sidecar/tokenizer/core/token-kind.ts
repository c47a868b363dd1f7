import { TokenmeshError } from '../../../errors/error.ts';

/** A new token for every request, from randomness alone: it tells nothing of the value. */
export const RANDOM_KIND = 'random';

/** `tkn_` and forty letters: docs/token-format.md. */
export const DEFAULT_FORMAT = 'default';

/** @throws {TokenmeshError} `ERR_KIND_UNSUPPORTED`, listing what there is. */
export function checkKind(kind: string | undefined, format: string | undefined): void {
  if ((kind ?? RANDOM_KIND) === RANDOM_KIND && (format ?? DEFAULT_FORMAT) === DEFAULT_FORMAT) return;
  throw new TokenmeshError({
    code: 'ERR_KIND_UNSUPPORTED',
    message: `the token kind or format is not supported: expected kind "${RANDOM_KIND}" with format "${DEFAULT_FORMAT}"`,
    remedy: 'leave kind and format out, or use those',
  });
}
