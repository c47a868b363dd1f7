/**
 * The processes of a run: each in a process group of its own, each with a pipe that tells it when the
 * runner is gone, each with its output in a file. The first one that ends by itself ends the run.
 *
 * @module
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TokenmeshError } from '../errors/error.ts';

const STOP_DEADLINE_MS = 6_000;
const LOG_LINES_SHOWN = 5;

/** What ends sooner does not work at all, and a new start would not help. */
const RESTARTED_AFTER_MS = 1_000;

export interface ProcessPlan {
  /** How the process is called when it is spoken of, such as "order's app". */
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Whose end an exit code tells of, where it is not this process's own: a sidecar tells of its Envoy. */
  readonly exitCodeMeans?: Readonly<Record<number, string>>;
  /** Started again when it ends by itself, as Lambda does with a function: the run goes on meanwhile. */
  readonly restarts?: true;
  /**
   * Ends with the others of its task when one of them does, and is started again with them, as ECS replaces a task
   * of which a container ended. Harsher than ECS: none of them gets time to drain.
   */
  readonly task?: string;
}

export interface Processes {
  /** @returns The pid. */
  start(plan: ProcessPlan): number;
  /** Of the process of this name that runs now. */
  pidOf(name: string): number | undefined;
  /** Rejects when a process ends that was not stopped: `ERR_PROCESS_ENDED`, naming it. Never resolves. */
  readonly failed: Promise<never>;
  /** Ends all, the last started first; whatever is left after a while is ended by force. */
  stop(): Promise<void>;
  /** Ends all by force, at once. */
  kill(): void;
}

interface Running {
  readonly plan: ProcessPlan;
  /** How many ran in its place before. */
  readonly generation: number;
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
}

/** Where the output of a process is, by the name in its plan. */
export function logFileOf(logDirectory: string, name: string): string {
  return join(logDirectory, `${name.replaceAll(/[^a-z0-9]+/g, '-')}.log`);
}

export function createProcesses(logDirectory: string): Processes {
  const running: Running[] = [];
  let stopping = false;
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});
  const start = (plan: ProcessPlan, generation = 0): number => {
    const logFile = logFileOf(logDirectory, plan.name);
    const startedAt = performance.now();
    const child = spawnLogged(plan, logFile);
    const ended = once(child, 'exit').then(
      () => {
        killGroup(child);
        if (stopping) return;
        running.splice(running.indexOf(process), 1);
        endTask(process);
        const mayRestart = plan.task !== undefined || performance.now() - startedAt > RESTARTED_AFTER_MS;
        if (plan.restarts === true && mayRestart) start(plan, generation + 1);
        else failure.reject(endedByItself(plan, child, logFile));
      },
      (error: unknown) => {
        if (!stopping) failure.reject(notStarted(plan, error));
      },
    );
    const process = { plan, generation, child, ended };
    running.push(process);
    return child.pid ?? 0;
  };
  /** Those that were started with it: not what has taken the place of one of them already. */
  const endTask = ({ plan, generation }: Running): void => {
    const others = running.filter(
      (other) => plan.task !== undefined && other.plan.task === plan.task && other.generation <= generation,
    );
    for (const { child } of others) killGroup(child);
  };
  return {
    failed: failure.promise,
    start: (plan) => start(plan),
    pidOf: (name) => running.find(({ plan }) => plan.name === name)?.child.pid,
    async stop() {
      stopping = true;
      for (const { child } of running.toReversed()) child.kill('SIGTERM');
      const forced = setTimeout(() => running.forEach(({ child }) => killGroup(child)), STOP_DEADLINE_MS);
      await Promise.all(running.map(({ ended }) => ended));
      clearTimeout(forced);
    },
    kill() {
      stopping = true;
      for (const { child } of running) killGroup(child);
    },
  };
}

function spawnLogged(plan: ProcessPlan, logFile: string): ChildProcess {
  const log = openSync(logFile, 'a', 0o600);
  try {
    return spawn(plan.command, plan.arguments, {
      env: { ...plan.environment, TOKENMESH_STOP_WITH_PARENT: '1' },
      stdio: ['pipe', log, log],
      detached: true,
    });
  } finally {
    closeSync(log);
  }
}

/** What a process leaves behind when it is killed, such as an agent's Envoy, is in its group. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group has no member left.
  }
}

function endedByItself(plan: ProcessPlan, child: ChildProcess, logFile: string): TokenmeshError {
  const other = plan.exitCodeMeans?.[child.exitCode ?? -1];
  const how = child.signalCode === null ? `with exit code ${child.exitCode}` : `by ${child.signalCode}`;
  const what =
    other === undefined
      ? `${plan.name} (pid ${child.pid}) ended ${how}`
      : `${other} ended, and ${plan.name} with it,`;
  return new TokenmeshError({
    code: 'ERR_PROCESS_ENDED',
    message: `${what} while the mesh was running; its log ends with:\n${lastLines(logFile)}\n`,
    remedy: 'the mesh does not go on without it and is stopped; start it again with: npm start',
  });
}

function notStarted(plan: ProcessPlan, cause: unknown): TokenmeshError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TokenmeshError({
    code: 'ERR_PROCESS_NOT_STARTED',
    message: `${plan.name} could not be started: ${reason}`,
    remedy: `see whether ${plan.command} is there and may be run`,
    cause,
  });
}

/** The last lines that are not of Envoy's access log. */
function lastLines(file: string): string {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const said = lines.filter((line) => !line.includes('"direction":')).slice(-LOG_LINES_SHOWN);
  return said.map((line) => `  ${line.slice(0, 300)}`).join('\n');
}
