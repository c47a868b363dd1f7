/**
 * The whole mesh as a user starts it: `npm start`, in a process of its own, with a state file of its own.
 *
 * @module
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findClaim, isAlive, type RunState } from '../../operator/run-state.ts';

const ROOT = join(import.meta.dirname, '..', '..');

export interface Output {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run that somebody started and may stop, kill or wait for. */
export class StartedRun {
  readonly #child: ChildProcess;
  readonly #directory: string;
  readonly stateFile: string;
  /** As a shell tells it. */
  readonly exited: Promise<number>;
  output = '';

  /**
   * @param stateFile - Of an earlier run, to take its place.
   * @param environment - Of the user's own, beside what the test runs in.
   * @param folder - The clone that it is started from.
   */
  constructor(
    stateFile?: string,
    options: readonly string[] = [],
    environment: Readonly<Record<string, string>> = {},
    folder = ROOT,
  ) {
    this.#directory = mkdtempSync(join(tmpdir(), 'tokenmesh-state-'));
    this.stateFile = stateFile ?? join(this.#directory, 'run.json');
    this.#child = spawn('npm', ['start', '--silent', '--', ...options], {
      cwd: folder,
      env: { ...process.env, ...environment, TOKENMESH_STATE: this.stateFile },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.exited = once(this.#child, 'exit').then(([code, signal]) =>
      shellCode(code as number | null, signal as NodeJS.Signals),
    );
  }

  /** Waits until the output holds a text. */
  async says(text: string, deadlineMs = 120_000): Promise<void> {
    const deadline = Date.now() + deadlineMs;
    while (!this.output.includes(text)) {
      if (this.#hasEnded || Date.now() > deadline) {
        throw new Error(`expected ${JSON.stringify(text)}, got:\n${this.output}`);
      }
      await sleep(50);
    }
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** The folder of the run, from its first moment on. */
  get directory(): string {
    const claim = findClaim(this.stateFile);
    if (claim === undefined) throw new Error(`no run:\n${this.output}`);
    return claim.directory;
  }

  get state(): RunState {
    const state = findClaim(this.stateFile) as RunState | undefined;
    if (state?.nodes === undefined) throw new Error(`no run:\n${this.output}`);
    return state;
  }

  /** As Ctrl-C in a terminal does: to the whole foreground process group. */
  interrupt(): void {
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGINT');
  }

  /** @returns The exit code, once the run has ended and nothing can be left of this test. */
  async end(): Promise<number> {
    if (!this.#hasEnded) this.interrupt();
    const code = await this.exited;
    rmSync(this.#directory, { recursive: true, force: true });
    return code;
  }
}

/** npm ends by the signal that it was sent, once what it started has ended. */
function shellCode(code: number | null, signal: NodeJS.Signals): number {
  return code ?? 128 + constants.signals[signal];
}

/** Runs the operator's command against a run: without npm before it, which takes as long again. */
export async function mesh(run: StartedRun, argumentsGiven: readonly string[], input = ''): Promise<Output> {
  return await command(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', 'operator/cli.ts', ...argumentsGiven],
    { TOKENMESH_STATE: run.stateFile },
    input,
  );
}

export async function command(
  program: string,
  argumentsGiven: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  input = '',
): Promise<Output> {
  const child = spawn(program, argumentsGiven, { cwd: ROOT, env: { ...process.env, ...environment } });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/** What is left of a run: its folder, its processes. Nothing, when it ended as it should. */
export function leftOf(state: Pick<RunState, 'directory'>): string[] {
  const left = existsSync(state.directory) ? [state.directory] : [];
  return [...left, ...processesOf(state.directory)];
}

/** Every process of this machine that names the folder in its command line or environment. */
export function processesOf(directory: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && isAlive(Number(name)))
    .filter((pid) => mentions(pid, directory))
    .map((pid) => `process ${pid}`);
}

function mentions(pid: string, directory: string): boolean {
  return ['cmdline', 'environ'].some((file) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8').includes(directory);
    } catch {
      return false;
    }
  });
}
