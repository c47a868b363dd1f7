/** The disk is full under everything that writes: the logs of each process, the files of each sidecar. */

import { appendFileSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { Outage } from './outage.ts';

const SECONDS = 6;
const CHUNK_BYTES = 1_048_576;
const LEAST_BYTES = 4_096;

/** No more than this is filled: it is not meant for a disk of the machine. */
const DISK_BYTES_AT_MOST = 1_073_741_824;

export const DISK_FAULTS: Readonly<Record<string, Outage>> = {
  'full-disk': {
    title: 'the disk is full: nothing can be logged, no file be written',
    seconds: SECONDS,
    async begin({ state }) {
      const filling = join(state.directory, 'filling');
      fill(filling);
      return () => {
        const hits = Number(freeBytes(state.directory) < LEAST_BYTES);
        rmSync(filling);
        return hits;
      };
    },
    mayGet: [],
  },
};

function fill(file: string): void {
  const { bsize, blocks } = statfsSync(join(file, '..'));
  if (bsize * blocks > DISK_BYTES_AT_MOST) throw new Error('expected a small disk of the scene to fill');
  for (let bytes = CHUNK_BYTES; bytes >= LEAST_BYTES;) {
    try {
      appendFileSync(file, Buffer.alloc(bytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      bytes /= 2;
    }
  }
}

function freeBytes(directory: string): number {
  const { bsize, bavail } = statfsSync(directory);
  return bsize * bavail;
}
