/**
 * The bench `certificates` as a command: its mesh, what it prints, what it keeps, and how it ends.
 *
 * @module
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeError } from '../../errors/error.ts';
import { preparePythonEnvironment } from '../../local/aws/python-environment.ts';
import { MeshRunner } from '../../local/mesh-run.ts';
import { tokenizationMesh as mesh } from '../../mesh/tokenization-mesh.ts';
import { readRunState, writeRunState } from '../../operator/run-state.ts';
import { createQuietLogger } from '../../runtime/log.ts';
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
    publish(command, await machineOf(), result);
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

async function machineOf(): Promise<Machine> {
  const { bin } = await preparePythonEnvironment({
    projectRoot: process.env['TOKENMESH_HOME'] ?? PROJECT_ROOT,
    requirementsFile: join(PROJECT_ROOT, 'local', 'aws', 'requirements.txt'),
    name: 'local',
    onProgress: () => {},
    env: { ...process.env },
  });
  const given = process.env['ENVOY_BIN'] ?? '';
  return await describeMachine(given === '' ? join(bin, 'envoy') : given);
}

function publish(command: CertificatesCommand, machine: Machine, result: CertificateBenchResult): void {
  const time = new Date().toISOString().replaceAll(/[:.]/g, '-');
  const directory = command.outDirectory ?? join(PROJECT_ROOT, '.tokenmesh', 'bench', time);
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
