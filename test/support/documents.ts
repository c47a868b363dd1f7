/**
 * The documentation as text, and the sources that it speaks of.
 *
 * @module
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');

/** What git ignores or what is not ours. */
const NOT_OURS = ['node_modules', '.git', '.tokenmesh', 'coverage', 'cdk.out', 'dist'];

/** Every folder that runs. */
const SOURCES =
  'errors mesh pki runtime cert-exporter renewal queue sidecar sample-apps operator local infra bench'.split(
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

function filesUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '.' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return NOT_OURS.includes(entry.name) ? [] : filesUnder(path);
    return entry.isFile() ? [path] : [];
  });
}
