/**
 * What a value looks like that was encrypted at the edge, for a schema: an app passes it on as it is, and the
 * tokenizer opens it. Format: docs/edge.md.
 */
export const MARK_PATTERN = String.raw`^enc1\.[0-9a-z-]{32,40}\.[dh]\.[A-Za-z0-9_-]{342,2000}\.$`;

const MARK = new RegExp(MARK_PATTERN);

export function isMark(value: string): boolean {
  return MARK.test(value);
}
