/**
 * What a bench has started so far, and the folder it did that in: all of it ends with the bench.
 *
 * @module
 */

import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createProcesses, type Processes } from '../../local/processes.ts';

const PREFIX = 'tokenmesh-bench-';

/** In memory where the platform has that: logs of a load are long, and a disk would be in the way. */
const PARENT = isDirectory('/dev/shm') ? '/dev/shm' : tmpdir();

export interface Group {
  readonly directory: string;
  readonly processes: Processes;
  stop(): Promise<void>;
}

export class Workplace {
  readonly directory: string;
  readonly #groups = new Set<Group>();
  readonly #failed = Promise.withResolvers<never>();

  constructor() {
    clearLeftovers();
    this.directory = mkdtempSync(join(PARENT, `${PREFIX}${process.pid}-`));
    this.#failed.promise.catch(() => {});
  }

  /** Rejects when a process ends that was not stopped. Never resolves. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Processes that are stopped together, in a folder of their own. */
  group(name: string): Group {
    const directory = join(this.directory, name);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const processes = createProcesses(directory);
    processes.failed.catch((error: unknown) => this.#failed.reject(error));
    const group = {
      directory,
      processes,
      stop: async () => {
        await processes.stop();
        this.#groups.delete(group);
        rmSync(directory, { recursive: true, force: true });
      },
    };
    this.#groups.add(group);
    return group;
  }

  /** Between two rounds, so that what is logged does not fill the memory. */
  emptyLogs(): void {
    for (const { directory, file } of this.#logs()) truncateSync(join(directory, file));
  }

  /** After a failure: what was logged since the last round. */
  saveLogs(to: string): void {
    mkdirSync(to, { recursive: true });
    for (const { directory, file } of this.#logs()) {
      copyFileSync(join(directory, file), join(to, `${basename(directory)}-${file}`));
    }
  }

  #logs(): { readonly directory: string; readonly file: string }[] {
    return [...this.#groups].flatMap(({ directory }) =>
      readdirSync(directory).flatMap((file) => (file.endsWith('.log') ? [{ directory, file }] : [])),
    );
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#groups].map(async (group) => await group.stop()));
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** For the last moment of a process that cannot wait any more. */
  kill(): void {
    for (const { processes } of this.#groups) processes.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** What a bench left that was killed: its pid is in the name. */
function clearLeftovers(): void {
  for (const name of readdirSync(PARENT)) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (pid > 0 && !isAlive(pid)) rmSync(join(PARENT, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
