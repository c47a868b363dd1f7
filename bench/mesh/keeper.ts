/**
 * Keeps programs that do not notice when their parent is gone: starts those of a plan, writes their pids,
 * ends them when it is told to end or its own parent ends, and ends itself when one of them does.
 *
 * @module
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { stopOnSignal } from '../../runtime/lifecycle.ts';

const STOP_DEADLINE_MS = 3_000;
const EXIT_CHILD_ENDED = 3;

interface Plan {
  /** Gets the pid of each, by its name. */
  readonly pidsFile: string;
  readonly commands: readonly {
    readonly name: string;
    readonly command: string;
    readonly arguments: readonly string[];
    readonly logFile: string;
  }[];
}

const plan = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Plan;
const children = plan.commands.map((each): readonly [string, ChildProcess] => {
  const log = openSync(each.logFile, 'a', 0o600);
  const child = spawn(each.command, each.arguments, { stdio: ['ignore', log, log] });
  return [each.name, child];
});
let isStopping = false;
const ended = children.map(async ([, child]) => await once(child, 'exit').catch(() => undefined));
for (const each of ended) void each.then(() => (isStopping ? undefined : stop(EXIT_CHILD_ENDED)));
writeFileSync(
  plan.pidsFile,
  JSON.stringify(Object.fromEntries(children.map(([name, { pid }]) => [name, pid]))),
);

async function end(): Promise<void> {
  isStopping = true;
  for (const [, child] of children) child.kill('SIGTERM');
  const forced = setTimeout(() => children.forEach(([, child]) => child.kill('SIGKILL')), STOP_DEADLINE_MS);
  await Promise.all(ended);
  clearTimeout(forced);
}

async function stop(exitCode: number): Promise<void> {
  await end();
  process.exit(exitCode);
}

stopOnSignal(end);
