/**
 * The bench `certificates` as a command: its mesh, what it prints, what it keeps, and how it ends.
 *
 * @module
 */

import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describeError } from '../../errors/error.ts';
import { MeshRunner } from '../../local/mesh-run.ts';
import { tokenizationMesh as mesh } from '../../mesh/tokenization-mesh.ts';
import { readRunState, writeRunState } from '../../operator/run-state.ts';
import { createQuietLogger } from '../../runtime/log.ts';
import { envoyBinary } from '../handed-envoy.ts';
import { describeMachine, type Machine } from '../mesh/machine.ts';
import { stopWithSignals } from '../../local/signals.ts';
import {
  runCertificateBench,
  showsWhatIsPublished,
  type CertificateBenchResult,
  type CertificatePlan,
} from './certificates-bench.ts';
import { certificateFigures, certificateReport, holds } from './report.ts';

const PROJECT_ROOT = join(import.meta.dirname, '..', '..');

const STARTED_AT = new Date().toISOString().replaceAll(/[:.]/g, '-');

export interface CertificatesCommand {
  readonly plan: CertificatePlan;
  readonly isJson: boolean;
  /** Where the raw output is kept. @default .tokenmesh/bench/<time> */
  readonly outDirectory?: string;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** @returns The exit code: 1 when a request failed or a certificate was not shown in the end. */
export async function runCertificatesCommand(command: CertificatesCommand): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'tokenmesh-bench-'));
  const stateFile = join(directory, 'run.json');
  const interrupted = new AbortController();
  const runner = new MeshRunner({
    mesh,
    stateFile,
    environment: process.env,
    logger: createQuietLogger('bench'),
    signal: interrupted.signal,
    ports: 'any',
    orderStore: 'dynamodb',
    stage: async (title, work) => {
      say(title);
      return await work(() => {});
    },
  });
  process.on('exit', () => runner.kill());
  const stopped = stopWithSignals();
  stopped.signal.addEventListener('abort', () => interrupted.abort());
  const work = async (): Promise<number> => {
    const parts = {
      mesh,
      run: await runner.start(),
      plan: command.plan,
      state: () => readRunState(stateFile),
      writeState: (state: ReturnType<typeof readRunState>) => writeRunState(stateFile, state),
      signal: interrupted.signal,
      say,
    };
    const result = await runCertificateBench(parts);
    const isShown = await showsWhatIsPublished(parts);
    publish(command, await describeMachine(await envoyBinary()), result);
    if (!holds(result)) keepLogs(parts.run.state.directory, directoryOf(command));
    if (!isShown) say('a certificate that was published last is not shown');
    return holds(result) && isShown ? 0 : 1;
  };
  const working = work();
  working.catch(() => {});
  try {
    return await Promise.race([working, stopped.exitCode, runner.failed]);
  } catch (error) {
    if (interrupted.signal.aborted) return await stopped.exitCode;
    say(`npm run bench: ${describeError(error)}`);
    return 1;
  } finally {
    interrupted.abort();
    await runner.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

function directoryOf({ outDirectory }: CertificatesCommand): string {
  return outDirectory ?? join(PROJECT_ROOT, '.tokenmesh', 'bench', STARTED_AT);
}

/** Of every process of the mesh: a request that failed is looked up there. */
function keepLogs(runDirectory: string, directory: string): void {
  const to = join(directory, 'logs');
  mkdirSync(to, { recursive: true });
  const files = readdirSync(runDirectory, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((each) => each.endsWith('.log')))
    copyFileSync(join(runDirectory, file), join(to, basename(file)));
  say(`logs: ${to}`);
}

function publish(command: CertificatesCommand, machine: Machine, result: CertificateBenchResult): void {
  const directory = directoryOf(command);
  const figures = certificateFigures(result);
  const report = certificateReport(machine, result, figures);
  mkdirSync(directory, { recursive: true });
  writeFileSync(
    join(directory, 'certificates-raw.json'),
    `${JSON.stringify({ machine, ...result }, null, 1)}\n`,
  );
  writeFileSync(join(directory, 'certificates.md'), `${report}\n`);
  process.stdout.write(command.isJson ? `${JSON.stringify({ machine, figures }, null, 1)}\n` : `${report}\n`);
  say(`raw output: ${directory}`);
}
