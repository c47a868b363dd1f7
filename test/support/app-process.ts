import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const PROJECT_ROOT = join(import.meta.dirname, '..', '..');
const START_DEADLINE_MS = 20_000;

/** One of our programs as a process of its own. */
export interface AppProcess {
  /** What it printed so far, on both streams. */
  readonly output: () => string;
  /** Resolves with its exit code. */
  readonly exited: Promise<number | null>;
  /** Resolves with the first line of its log whose message is `message`. */
  logged(message: string): Promise<Record<string, unknown>>;
  /** Asks it to stop and resolves with its exit code. */
  stop(): Promise<number | null>;
}

/** @param program - Relative to the root of the project: `sample-apps/order/main.ts`. */
export function startApp(program: string, environment: Readonly<Record<string, string>>): AppProcess {
  const child = spawn(process.execPath, [join(PROJECT_ROOT, program)], {
    env: { PATH: process.env['PATH'], ...environment, TOKENMESH_STOP_WITH_PARENT: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const exited = once(child, 'close').then(() => child.exitCode);
  return {
    output: () => output,
    exited,
    logged: (message) => waitForLine(message, () => output, child),
    stop: async () => {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

async function waitForLine(
  message: string,
  output: () => string,
  child: ChildProcess,
): Promise<Record<string, unknown>> {
  const deadlineMs = Date.now() + START_DEADLINE_MS;
  while (Date.now() < deadlineMs) {
    const line = output()
      .split('\n')
      .find((each) => each.includes(`"msg":"${message}"`));
    if (line !== undefined) return JSON.parse(line) as Record<string, unknown>;
    if (child.exitCode !== null) break;
    await delay(20);
  }
  throw new Error(`expected the log line "${message}", got:\n${output()}`);
}
