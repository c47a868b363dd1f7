/**
 * Runs a program of an image in the files that the image holds: a root of its own, read-only, as the image's
 * user. What a container is but for the engine that starts it.
 *
 * @module
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { layOut } from './image-files.ts';
import { PROJECT_ROOT, type Image } from './image.ts';

const IN_IMAGE = join(import.meta.dirname, 'in-image.sh');

export interface ImageProcess {
  /** What it printed so far, on both streams. */
  output(): string;
  /** Waits until the output holds a text. */
  says(text: string): Promise<void>;
  readonly exited: Promise<number | null>;
  stop(): Promise<number | null>;
}

/** A folder that a task lays over one of the image's: of the same owner and mode. */
export function createVolume(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tokenmesh-volume-'));
  chmodSync(directory, 0o700);
  if (process.getuid?.() === 0) chownSync(directory, 65532, 65532);
  return directory;
}

export class LaidOutImage {
  readonly image: Image;
  readonly #root: string;
  readonly #shared: string;
  readonly #own = createVolume();

  /** @param shared - The folder of sockets that the containers of one task share. */
  constructor(image: Image, shared: string, envoyBinary: string) {
    this.image = image;
    this.#shared = shared;
    this.#root = mkdtempSync(join(PROJECT_ROOT, '.tokenmesh', 'image-'));
    chmodSync(this.#root, 0o755);
    layOut(image, this.#root, envoyBinary);
  }

  remove(): void {
    for (const each of [this.#root, this.#own]) rmSync(each, { recursive: true, force: true });
  }

  /** Starts what the image starts. */
  start(environment: Readonly<Record<string, string>>): ImageProcess {
    return this.run(this.image.entrypoint, environment);
  }

  /** Runs another command in it, in the image's own environment. */
  run(command: readonly string[], environment: Readonly<Record<string, string>> = {}): ImageProcess {
    const [program = '', ...rest] = this.#entering(command);
    const child = spawn(program, rest, {
      env: { PATH: process.env['PATH'], ...this.image.environment, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    const exited = once(child, 'close').then(() => child.exitCode);
    return {
      output: () => output,
      exited,
      says: async (text) => {
        for (let waits = 0; !output.includes(text); waits += 1) {
          if (child.exitCode !== null || waits > 800) throw new Error(`expected "${text}", got:\n${output}`);
          await sleep(25);
        }
      },
      stop: async () => {
        child.kill('SIGTERM');
        return await exited;
      },
    };
  }

  /** Only root may change its own user; anyone else gets a user namespace, and the image's user within it. */
  #entering(command: readonly string[]): string[] {
    const [user = '', group = ''] = this.image.user.split(':');
    const shell = ['sh', IN_IMAGE, this.#root, this.#shared, this.#own];
    if (process.getuid?.() === 0)
      return [
        'unshare',
        '--mount',
        ...shell,
        'chroot',
        `--userspec=${user}:${group}`,
        this.#root,
        ...command,
      ];
    const inside = ['unshare', '--user', `--map-user=${user}`, `--map-group=${group}`];
    return [
      ...['unshare', '--user', '--map-root-user', '--mount', ...shell],
      ...[...inside, `--root=${this.#root}`, ...command],
    ];
  }
}
