import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/**
 * A real Chromium: the one that `CHROMIUM_BIN` names, one of the machine's own, or Debian's, which is
 * installed where it is not there and apt is to be had.
 */
export async function chromiumPath(): Promise<string> {
  const given = process.env['CHROMIUM_BIN'] ?? '';
  if (given !== '') return given;
  const found = onPath();
  if (found !== undefined) return found;
  await install();
  const installed = onPath();
  if (installed !== undefined) return installed;
  throw new Error('expected a Chromium: install one (apt-get install chromium), or set CHROMIUM_BIN');
}

function onPath(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((file) =>
    existsSync(file),
  );
}

async function install(): Promise<void> {
  const prefix = process.getuid?.() === 0 ? [] : ['sudo', '--non-interactive'];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const step of [['update'], ['install', '--yes', '--no-install-recommends', 'chromium']]) {
    const [command = 'apt-get', ...rest] = [...prefix, 'apt-get', ...step];
    await run(command, rest, { env, maxBuffer: 64 * 1024 * 1024 }).catch((cause: unknown) => {
      throw new Error(
        'Chromium could not be installed: expected apt-get to end with 0; install it, or set CHROMIUM_BIN',
        { cause },
      );
    });
  }
}
