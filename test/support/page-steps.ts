/**
 * A page that is worked through from top to bottom: what is typed, and the files that are written on the way.
 *
 * A file is a code block whose language is followed by a path. One of the language `diff` changes the file: its
 * lines are found there once, and replaced.
 *
 * @module
 */

import { sessionsIn, type ShownCommand } from './console-session.ts';

export type PageStep =
  | { readonly kind: 'session'; readonly commands: readonly ShownCommand[] }
  | { readonly kind: 'file'; readonly path: string; readonly text: string }
  | { readonly kind: 'change'; readonly path: string; readonly diff: string };

export function stepsIn(page: string): PageStep[] {
  return [...page.matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```$/gms)].flatMap(
    ([block, language, path, text = '']): PageStep[] => {
      if (language === 'console') return [{ kind: 'session', commands: sessionsIn(`${block}\n`) }];
      if (path === undefined) return [];
      return [language === 'diff' ? { kind: 'change', path, diff: text } : { kind: 'file', path, text }];
    },
  );
}

/** @throws {Error} Where the lines that the change is made to are not there, or more than once. */
export function changed(text: string, diff: string): string {
  const lines = diff.split('\n').slice(0, -1);
  const without = (mark: string): string =>
    lines
      .filter((line) => !line.startsWith(mark))
      .map((line) => `${line.slice(1)}\n`)
      .join('');
  const parts = text.split(without('+'));
  if (parts.length !== 2)
    throw new Error(`expected the lines of the change once, got ${parts.length - 1} times`);
  return parts.join(without('-'));
}
