import { mapTexts, type JsonText, type ReplaceText } from './json-texts.ts';
import { checkTextSize, jsonTooDeep, MAX_JSON_DEPTH } from './limits.ts';
import type { Content } from './text-service.ts';

/** @throws {TokenmeshError} `ERR_TEXT_TOO_LARGE`, `ERR_JSON_TOO_DEEP` */
export function checkContent(content: Content): void {
  if ('text' in content) return checkTextSize(content.text);
  checkDepth(content.json, 0);
  checkTextSize(JSON.stringify(content.json));
}

/** Before anything else that descends, which would run out of stack. */
function checkDepth(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth >= MAX_JSON_DEPTH) throw jsonTooDeep();
  for (const inner of Object.values(value)) checkDepth(inner, depth + 1);
}

/** A text of its own, or one of a document. */
export type ContentText = JsonText | { readonly text: string; readonly kind: 'text' };

/** The content with each of its texts replaced. */
export async function mapContent(
  content: Content,
  replace: (text: ContentText) => Promise<string>,
): Promise<Content> {
  if ('text' in content) return { text: await replace({ text: content.text, kind: 'text' }) };
  return { json: await mapTexts(content.json, replace satisfies ReplaceText) };
}

/** A part of a text that is to become something else. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly by: string;
}

/** @param splices - In the order of the text, without overlaps. */
export function spliced(text: string, splices: readonly Splice[]): string {
  let place = 0;
  const parts = splices.flatMap(({ start, end, by }) => {
    const kept = text.slice(place, start);
    place = end;
    return [kept, by];
  });
  return parts.join('') + text.slice(place);
}
