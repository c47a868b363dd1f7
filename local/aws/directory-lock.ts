/**
 * A lock between processes of one machine, as a directory that holds one file: its owner's.
 *
 * The directory comes into being with the file in it (a rename), and an abandoned lock changes hands by renaming
 * that file, which only one process can do: at no moment can two believe to own it.
 *
 * @module
 */

import { mkdir, mkdtemp, readdir, rename, rm, rmdir, stat, utimes, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive } from '../../operator/run-state.ts';

const LOOK_EVERY_MS = 200;
const BEAT_EVERY_MS = 2_000;

/**
 * How long an owner may go without a sign of life while we look.
 *
 * Measured by the one who waits, not by the time of the file: after a machine slept both are old.
 */
const SILENCE_LIMIT_MS = 20_000;

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once, where the lock is another's. */
  readonly onWait?: (ownerPid: number) => void;
}

/** Waits until the lock is ours, and gives the function that releases it. */
export async function acquireDirectoryLock(
  path: string,
  options: LockOptions = {},
): Promise<() => Promise<void>> {
  const mine = `${process.pid}.${randomUUID()}`;
  await mkdir(dirname(path), { recursive: true });
  const watch = watchOwner(path);
  let told = false;
  for (;;) {
    options.signal?.throwIfAborted();
    if (await claim(path, mine)) return hold(path, mine);
    const owner = await ownerOf(path);
    if (owner === undefined) continue;
    if ((await watch(owner)) === 'abandoned') {
      if (await takeOver(path, owner, mine)) return hold(path, mine);
      continue;
    }
    if (!told) options.onWait?.(pidOf(owner));
    told = true;
    await delay(LOOK_EVERY_MS, undefined, { signal: options.signal });
  }
}

async function claim(path: string, mine: string): Promise<boolean> {
  const made = await mkdtemp(`${path}.`);
  await writeFile(join(made, mine), '');
  try {
    await rename(made, path);
    return true;
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    if (isCode(error, 'ENOTEMPTY', 'EEXIST')) return false;
    throw error;
  }
}

async function takeOver(path: string, owner: string, mine: string): Promise<boolean> {
  try {
    await rename(join(path, owner), join(path, mine));
    return true;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false;
    throw error;
  }
}

async function ownerOf(path: string): Promise<string | undefined> {
  try {
    return (await readdir(path))[0];
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Beats while we hold the lock, so that a process that got our id later is not taken for us. */
function hold(path: string, mine: string): () => Promise<void> {
  const beat = setInterval(() => {
    const now = new Date();
    utimes(join(path, mine), now, now).catch(() => undefined);
  }, BEAT_EVERY_MS).unref();
  return async () => {
    clearInterval(beat);
    await rm(join(path, mine), { force: true });
    await rmdir(path).catch((error: unknown) => {
      if (!isCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
    });
  };
}

type OwnerState = 'alive' | 'abandoned';

function watchOwner(path: string): (owner: string) => Promise<OwnerState> {
  let seen = '';
  let changedAt = performance.now();
  return async (owner) => {
    if (!isAlive(pidOf(owner))) return 'abandoned';
    const beat = await stat(join(path, owner)).then(
      (found) => `${owner} ${found.mtimeMs}`,
      () => `${owner} gone`,
    );
    if (beat !== seen) {
      seen = beat;
      changedAt = performance.now();
    }
    return performance.now() - changedAt > SILENCE_LIMIT_MS ? 'abandoned' : 'alive';
  };
}

function pidOf(owner: string): number {
  return Number.parseInt(owner, 10);
}

function isCode(error: unknown, ...codes: string[]): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && codes.includes(String(error.code));
}
