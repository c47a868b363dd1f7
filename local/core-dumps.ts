import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * A process that crashes leaves its memory in a file where the system is set so, and with it values and keys. Not one
 * of this run: its limit is nothing, which every process inherits that is started from here on.
 *
 * Where there is no `prlimit` (outside Linux) the system's own setting stays.
 */
export async function forbidCoreDumps(): Promise<void> {
  await promisify(execFile)('prlimit', ['--pid', String(process.pid), '--core=0']).catch(() => {});
}
