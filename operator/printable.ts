/** A purpose is the caller's text, and a changed row anybody's: both may hold what a terminal would obey. */
export function printable(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?');
}
