import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { acquireDirectoryLock } from '../../../local/aws/directory-lock.ts';

let directory: string;
let lock: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tokenmesh-lock-'));
  lock = join(directory, 'the.lock');
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** A lock that a process left that is gone. */
async function leaveLock(): Promise<void> {
  const { pid } = spawnSync('true');
  await mkdir(lock);
  await writeFile(join(lock, `${pid}.left`), '');
}

describe('a lock', () => {
  it('leaves nothing behind when it is released', async () => {
    const release = await acquireDirectoryLock(lock);
    expect(await readdir(lock)).toHaveLength(1);
    await release();
    expect(await readdir(directory)).toEqual([]);
  });

  it('is held by one at a time', async () => {
    let holders = 0;
    let most = 0;
    const hold = async (): Promise<void> => {
      const release = await acquireDirectoryLock(lock);
      holders += 1;
      most = Math.max(most, holders);
      await delay(20);
      holders -= 1;
      await release();
    };
    await Promise.all([hold(), hold(), hold(), hold()]);
    expect(most).toBe(1);
  });

  it('tells a waiter once who holds it', async () => {
    const release = await acquireDirectoryLock(lock);
    const told: number[] = [];
    const second = acquireDirectoryLock(lock, { onWait: (pid) => told.push(pid) });
    await delay(500);
    await release();
    await (
      await second
    )();
    expect(told).toEqual([process.pid]);
  });

  it('is taken over from a process that is gone, by one of many', async () => {
    await leaveLock();
    let holders = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        const release = await acquireDirectoryLock(lock);
        holders += 1;
        most = Math.max(most, holders);
        await delay(5);
        holders -= 1;
        await release();
      }),
    );
    expect(most).toBe(1);
    expect(await readdir(directory)).toEqual([]);
  });

  it('is not waited for longer than the signal allows', async () => {
    const release = await acquireDirectoryLock(lock);
    const controller = new AbortController();
    const second = acquireDirectoryLock(lock, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('no longer')), 50);
    await expect(second).rejects.toThrow('aborted');
    await release();
    expect(await readdir(directory)).toEqual([]);
  });
});
