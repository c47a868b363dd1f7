/**
 * Starts the emulated AWS as a process, and knows when it answers and when it ends.
 *
 * @module
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, open, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import { TokenmeshError } from '../../errors/error.ts';

const HOST = '127.0.0.1';
const START_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 3_000;
const LOOK_EVERY_MS = 25;
const LOG_LINES_SHOWN = 4;

/** See emulator/server.py: it answers with its process id, so that another's server on the port is not taken for ours. */
const HEALTH_PATH = '/tokenmesh/health';

export interface EmulatorOptions {
  /** An interpreter that has the packages of requirements.txt. */
  readonly python: string;
  readonly port: number;
  /** Gets what the process prints, after what is there already. */
  readonly logFile: string;
  /** Added to the environment: the settings of emulator/settings.py. */
  readonly env?: NodeJS.ProcessEnv;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Emulator {
  readonly endpointUrl: string;
  readonly pid: number;
  /** Resolves once the process is gone, with all that it held: nothing is kept. */
  stop(): Promise<void>;
  readonly exited: Promise<Exit>;
}

/**
 * Starts the emulator and waits until it answers.
 *
 * @throws {TokenmeshError} `ERR_EMULATOR_NOT_STARTED`, with the last lines of the log; no process is left.
 */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  await mkdir(dirname(options.logFile), { recursive: true });
  const logStart = await sizeOf(options.logFile);
  const { child, exited } = await spawnEmulator(options);
  const endpointUrl = `http://${HOST}:${options.port}`;
  const outcome = await waitUntilReady(endpointUrl, child, exited);
  if (outcome !== 'ready' || child.pid === undefined) {
    await stop(child, exited);
    throw notStarted(outcome, options, await logSince(options.logFile, logStart));
  }
  return { endpointUrl, pid: child.pid, stop: async () => stop(child, exited), exited };
}

interface Spawned {
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
}

/** In a process group of its own: Ctrl-C in a terminal must not reach it before those that still use it. */
async function spawnEmulator(options: EmulatorOptions): Promise<Spawned> {
  const log = await open(options.logFile, 'a', 0o600);
  try {
    const child = spawn(
      options.python,
      ['-B', '-m', 'emulator', '--host', HOST, '--port', String(options.port)],
      {
        cwd: import.meta.dirname,
        detached: true,
        env: { ...inheritedEnv(), TOKENMESH_STOP_WITH_PARENT: '1', ...options.env },
        stdio: ['pipe', log.fd, log.fd],
      },
    );
    return { child, exited: exitOf(child) };
  } finally {
    await log.close();
  }
}

/** Neither the caller's AWS profile and credentials nor its Python settings: the emulator must not see them. */
function inheritedEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(AWS|BOTO|MOTO|PYTHON)/.test(name)),
  );
}

async function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('error', () => resolve({ code: null, signal: null }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

type StartOutcome = 'ready' | 'too late' | Exit;

async function waitUntilReady(
  endpointUrl: string,
  child: ChildProcess,
  exited: Promise<Exit>,
): Promise<StartOutcome> {
  const looking = new AbortController();
  const look = async (): Promise<StartOutcome> => {
    const deadline = performance.now() + START_DEADLINE_MS;
    while (performance.now() < deadline && !looking.signal.aborted) {
      if ((await answeringPid(endpointUrl)) === child.pid) return 'ready';
      await delay(LOOK_EVERY_MS);
    }
    return 'too late';
  };
  try {
    return await Promise.race([look(), exited]);
  } finally {
    looking.abort();
  }
}

async function answeringPid(endpointUrl: string): Promise<number | undefined> {
  try {
    const { body } = await request(`${endpointUrl}${HEALTH_PATH}`, {
      reset: true,
      headersTimeout: 2_000,
      bodyTimeout: 2_000,
    });
    return ((await body.json()) as { pid?: number }).pid;
  } catch {
    return undefined;
  }
}

async function stop(child: ChildProcess, exited: Promise<Exit>): Promise<void> {
  if (child.pid === undefined) return;
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
  await exited;
  clearTimeout(kill);
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    (found) => found.size,
    () => 0,
  );
}

async function logSince(path: string, start: number): Promise<string> {
  const text = (await readFile(path)).subarray(start).toString('utf8').trim();
  return text === '' ? 'nothing' : text.split('\n').slice(-LOG_LINES_SHOWN).join(' / ');
}

function describeOutcome(outcome: StartOutcome, python: string): string {
  if (typeof outcome === 'string') return `no answer in ${START_DEADLINE_MS / 1000} s`;
  if (outcome.signal !== null) return `its end by ${outcome.signal}`;
  return outcome.code === null ? `no process of ${python}` : `its end with code ${outcome.code}`;
}

function notStarted(outcome: StartOutcome, options: EmulatorOptions, logged: string): TokenmeshError {
  const got = describeOutcome(outcome, options.python);
  return new TokenmeshError({
    code: 'ERR_EMULATOR_NOT_STARTED',
    message: `the emulated AWS did not start on port ${options.port}: expected an answer, got ${got}; it printed: ${logged}`,
    remedy: `read ${options.logFile}; where the port is taken, use another, or give an AWS of your own: AWS_ENDPOINT_URL=http://... npm start`,
  });
}
