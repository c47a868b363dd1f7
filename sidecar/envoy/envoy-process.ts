import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** How long Envoy may take to end before it is ended by force. */
const STOP_DEADLINE_MS = 4_000;

/** The exit code of a sidecar whose Envoy ended by itself. */
export const EXIT_ENVOY_ENDED = 3;

/** In the run directory of the sidecar. */
export const BOOTSTRAP_FILE = 'bootstrap.json';

export interface EnvoyProcess {
  readonly pid: number;
  /** Resolves when Envoy has ended, for whatever reason. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  stop(): Promise<void>;
}

/**
 * Starts Envoy as a child of the agent, in the agent's process group, with its log on the agent's
 * standard output.
 *
 * @param concurrency - Worker threads. A task of a fraction of a CPU is best served by few.
 */
export function startEnvoy(
  binary: string,
  bootstrapFile: string,
  concurrency: number,
  output: 'inherit' | 'ignore' = 'inherit',
): EnvoyProcess {
  const child = spawn(
    binary,
    [
      ...['-c', bootstrapFile, '--disable-hot-restart', '--concurrency', String(concurrency), '-l', 'warn'],
      // Once draining begins, every answer tells its connection to go: nothing is spread over minutes.
      ...['--drain-strategy', 'immediate'],
      // By default lines of the access log wait up to 10 s: who looks on would see the past.
      ...['--file-flush-interval-msec', '250'],
    ],
    // It needs nothing of what the agent is told, such as how to come by the task's AWS credentials.
    { stdio: ['ignore', output, output], env: {} },
  );
  const exited = exitOf(child);
  return {
    pid: child.pid ?? 0,
    exited,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const forced = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
      child.kill('SIGTERM');
      await exited;
      clearTimeout(forced);
    },
  };
}

async function exitOf(child: ChildProcess): Promise<{ code: number | null; signal: string | null }> {
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    return { code, signal };
  } catch (error) {
    return { code: 127, signal: error instanceof Error ? error.message : String(error) };
  }
}
