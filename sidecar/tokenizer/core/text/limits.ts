import { TokenmeshError } from '../../../../errors/error.ts';

/** A text in UTF-8, or a document as JSON. */
export const MAX_TEXT_BYTES = 1024 * 1024;

/** Found in one text, or tokens in it: each is a record to seal or to open. */
export const MAX_FINDINGS = 1000;

/** Arrays and objects in one another. */
export const MAX_JSON_DEPTH = 64;

/** @throws {TokenmeshError} `ERR_TEXT_TOO_LARGE` */
export function checkTextSize(text: string): void {
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_TEXT_BYTES) return;
  throw new TokenmeshError({
    code: 'ERR_TEXT_TOO_LARGE',
    message: `the text is too large: expected at most ${MAX_TEXT_BYTES} bytes, got ${bytes}`,
    remedy: 'send it in parts; cut it where no value stands, such as at the end of a line',
  });
}

/** @throws {TokenmeshError} `ERR_TOO_MANY_FINDINGS` */
export function checkFindingCount(count: number, what: 'values' | 'tokens'): void {
  if (count <= MAX_FINDINGS) return;
  throw new TokenmeshError({
    code: 'ERR_TOO_MANY_FINDINGS',
    message: `the text holds too many ${what}: expected at most ${MAX_FINDINGS}, got more`,
    remedy: 'send it in parts; nothing of it was done',
  });
}

export function jsonTooDeep(): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_JSON_TOO_DEEP',
    message: `the document is nested too deeply: expected at most ${MAX_JSON_DEPTH} arrays and objects in one another, got more`,
    remedy: 'send the inner parts as documents of their own',
  });
}
