/**
 * Whoever reads a page and types what it shows, in a folder that is as the clone.
 *
 * @module
 */

import { mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSession, sessionsIn, type RunCommand, type ShownCommand } from './console-session.ts';
import { ROOT, textOf } from './documents.ts';

/** As the clone that the reader is in, but that what the commands write stays out of it. */
export function readerFolder(files: Readonly<Record<string, string | Buffer>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'tokenmesh-reader-'));
  for (const name of readdirSync(ROOT)) symlinkSync(join(ROOT, name), join(folder, name));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

export interface Reading {
  readonly folder: string;
  readonly stateFile: string;
  /** Which commands are typed. @default all */
  readonly types?: (command: ShownCommand) => boolean;
  readonly deadlineMs?: number;
}

export async function readPage(page: string, reading: Reading): Promise<RunCommand[]> {
  const { folder, stateFile, types = () => true, deadlineMs } = reading;
  return await runSession(sessionsIn(textOf(page)).filter(types), {
    cwd: folder,
    environment: { TOKENMESH_STATE: stateFile, NO_COLOR: '1' },
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  });
}

/** Commands that failed where the page does not go on to show their exit code. */
export function failedIn(run: readonly RunCommand[]): RunCommand[] {
  return run.filter(({ code }, index) => code !== 0 && run[index + 1]?.command !== 'echo $?');
}
