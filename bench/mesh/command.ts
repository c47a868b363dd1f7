/**
 * The bench `mesh` as a command: what it prints, what it keeps, and how it ends.
 *
 * @module
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeError } from '../../errors/error.ts';
import type { MeshBenchOptions } from './bench-parts.ts';
import { runMeshBench, type MeshBenchResult } from './mesh-bench.ts';
import { markdownReport } from './report.ts';
import { stopWithSignals } from '../../local/signals.ts';
import { Workplace } from './workplace.ts';

const PROJECT_ROOT = join(import.meta.dirname, '..', '..');

export interface MeshCommand extends Omit<MeshBenchOptions, 'signal' | 'say' | 'environment'> {
  readonly isJson: boolean;
  /** Where the raw output is kept. @default .tokenmesh/bench/<time> */
  readonly outDirectory?: string;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** @returns The exit code. */
export async function runMeshCommand(command: MeshCommand): Promise<number> {
  const workplace = new Workplace();
  process.on('exit', () => workplace.kill());
  const stopped = stopWithSignals();
  const options = { ...command, say, environment: process.env, signal: stopped.signal };
  const working = runMeshBench(workplace, options).then((result) => publish(command, result));
  working.catch(() => {});
  try {
    return await Promise.race([working, stopped.exitCode, workplace.failed]);
  } catch (error) {
    if (stopped.signal.aborted) return await stopped.exitCode;
    say(`npm run bench: ${describeError(error)}`);
    const logs = join(outDirectoryOf(command), 'logs');
    workplace.saveLogs(logs);
    say(`logs of what failed: ${logs}`);
    return 1;
  } finally {
    await workplace.stop();
  }
}

function outDirectoryOf({ outDirectory }: MeshCommand): string {
  const time = new Date().toISOString().replaceAll(/[:.]/g, '-');
  return outDirectory ?? join(PROJECT_ROOT, '.tokenmesh', 'bench', time);
}

function publish(command: MeshCommand, result: MeshBenchResult): number {
  const directory = outDirectoryOf(command);
  const { machine, figures } = result;
  const report = markdownReport(result);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'raw.json'), `${JSON.stringify(result, null, 1)}\n`);
  writeFileSync(join(directory, 'figures.json'), `${JSON.stringify({ machine, figures }, null, 1)}\n`);
  writeFileSync(join(directory, 'report.md'), `${report}\n`);
  process.stdout.write(command.isJson ? `${JSON.stringify({ machine, figures }, null, 1)}\n` : `${report}\n`);
  say(`raw output: ${directory}`);
  return 0;
}
