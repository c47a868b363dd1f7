/**
 * What a page shows of a terminal, run again: each command of its ```console blocks in one shell, and what the
 * page shows beneath held against what the command printed.
 *
 * A shown line `...` stands for any lines, `...` within a line for any text. What differs from run to run is
 * held by its shape alone: counts, times, identifiers, tokens, the width of a column.
 *
 * @module
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface ShownCommand {
  /** As it is typed, over several lines where they end in a backslash. */
  readonly command: string;
  readonly shown: readonly string[];
}

export interface RunCommand extends ShownCommand {
  readonly printed: readonly string[];
  /** Undefined where the shell ended. */
  readonly code: number | undefined;
}

const SESSION_MS = 150_000;

export function sessionsIn(page: string): ShownCommand[] {
  const blocks = [...page.matchAll(/^( *)```console\n(.*?)^ *```$/gms)].map(([, indent = '', block = '']) =>
    block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
  return blocks.flatMap(commandsIn);
}

function commandsIn(block: string): ShownCommand[] {
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((text) => {
      const lines = text.trimEnd().split('\n');
      const last = lines.findIndex((line) => !line.endsWith('\\'));
      return { command: lines.slice(0, last + 1).join('\n'), shown: lines.slice(last + 1) };
    });
}

export interface ShellOptions {
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Of the whole session; then its shell is ended, and the command that it was at has no exit code. @default 150 s */
  readonly deadlineMs?: number;
}

/** Runs all of them in one shell, so that a variable which one sets is there for the next. */
export async function runSession(
  commands: readonly ShownCommand[],
  { cwd, environment, deadlineMs = SESSION_MS }: ShellOptions,
): Promise<RunCommand[]> {
  const env = { ...process.env, ...environment };
  const shell = spawn('bash', ['--norc'], { cwd, env, stdio: 'pipe', timeout: deadlineMs });
  const exited = once(shell, 'exit');
  const lines = createInterface({ input: shell.stdout })[Symbol.asyncIterator]();
  shell.stdin.write('exec 2>&1\n');
  const run: RunCommand[] = [];
  for (const [index, each] of commands.entries()) {
    const mark = `end of command ${index}:`;
    // The shell's own input is the commands to come: no command may read of it.
    shell.stdin.write(
      `{ ${each.command}\n} < /dev/null\nlast=$?; printf '\\n%s %s\\n' '${mark}' "$last"; (exit "$last")\n`,
    );
    run.push({ ...each, ...(await until(lines, mark)) });
  }
  shell.stdin.end();
  await exited;
  return run;
}

async function until(
  lines: AsyncIterator<string>,
  mark: string,
): Promise<Pick<RunCommand, 'printed' | 'code'>> {
  const printed: string[] = [];
  for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
    if (next.value.startsWith(mark)) return { printed, code: Number(next.value.slice(mark.length)) };
    printed.push(next.value);
  }
  return { printed, code: undefined };
}

/** Whether a command did what the page shows of it. */
export function isAsShown({ shown, printed }: RunCommand): boolean {
  const text = printed.join('\n').trim();
  if (shown.length === 0) return true;
  const pattern = shown.map((line, index) =>
    line === '...' ? '(?:.*\\n)*?' : `${shapeOf(line, index)}[ \\t]*\\n`,
  );
  return new RegExp(`^${pattern.join('')}$`).test(`${text}\n`);
}

/** In this order: what comes first takes what a later one would take a part of. */
const SHAPES: readonly (readonly [found: RegExp, shape: string])[] = [
  [/\.\.\./, '.*'],
  [/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/, '[0-9a-f-]{36}'],
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/, '\\S+Z'],
  [/\btkn_[a-z]{20,}/, 'tkn_[a-z]{20,}'],
  [/\b[a-p]{64}\b/, '[a-p]{64}'],
  // The shortened reference of a token, in a table.
  [/\b[a-p]{12}(?= │)/, '[a-p]{12}'],
  [/\b[0-9a-f]{8,}\b/, '[0-9a-f]{8,}'],
  [/[─]+/, '─+'],
  [/ +/, ' +'],
];

const NUMBER = /\d+(?:[.,]\d+)*/;

const ANY_SHAPE = new RegExp(
  [...SHAPES.map(([found]) => found), NUMBER].map(({ source }) => `(${source})`).join('|'),
  'g',
);

/** A number that a line shows twice, as in `176 of 176`, has to be one number in what was printed too. */
function shapeOf(line: string, index: number): string {
  const numbers = new Set<string>();
  let pattern = '';
  let end = 0;
  for (const match of line.trimEnd().matchAll(ANY_SHAPE)) {
    pattern += escaped(line.slice(end, match.index));
    const [, shape] = SHAPES[match.slice(1).findIndex((group) => group !== undefined)] ?? [];
    pattern += shape ?? numberShape(`l${index}n${match[0].replaceAll(/\D/g, '_')}`, numbers);
    end = match.index + match[0].length;
  }
  return pattern + escaped(line.trimEnd().slice(end));
}

function numberShape(name: string, before: Set<string>): string {
  if (before.has(name)) return `\\k<${name}>`;
  before.add(name);
  return `(?<${name}>[\\d.,]+)`;
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
