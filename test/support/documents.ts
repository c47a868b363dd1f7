/**
 * The documentation as text, and the sources that it speaks of.
 *
 * @module
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');

/** What git ignores or what is not ours. */
export const NOT_OURS = ['node_modules', '.git', '.tokenmesh', 'coverage', 'cdk.out', 'dist'];

/** Every folder that runs. */
const SOURCES =
  'errors mesh pki runtime cert-exporter renewal queue sidecar sample-apps edge operator local infra bench'.split(
    ' ',
  );

/** Every Markdown file of the project, by its path from the root. */
export function markdownFiles(): string[] {
  return filesUnder('.').filter((file) => file.endsWith('.md'));
}

export function sourceFiles(): string[] {
  return filesUnder('.').filter((file) => SOURCES.some((folder) => file.startsWith(`${folder}/`)));
}

export function textOf(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** A row of a table whose first cell is a code span: that cell, and the others. */
export interface Row {
  readonly name: string;
  readonly cells: readonly string[];
}

export function rowsOf(markdown: string): Row[] {
  return [...markdown.matchAll(/^\| `([^`]+)` \|(.*)\|$/gm)].map(([, name = '', rest = '']) => ({
    name,
    cells: rest.split(/(?<!\\)\|/).map((cell) => cell.trim()),
  }));
}

/** The anchors that GitHub makes: lower case, hyphens for spaces, letters, digits, hyphens and underscores kept. */
export function anchorsOf(file: string): string[] {
  const text = textOf(file).replaceAll(/^```[^]*?^```$/gm, '');
  const seen = new Map<string, number>();
  return [...text.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)].map(([, heading = '']) => {
    const slug = heading
      .toLowerCase()
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

function filesUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '.' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return NOT_OURS.includes(entry.name) ? [] : filesUnder(path);
    return entry.isFile() ? [path] : [];
  });
}
