import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const LOCK_SECONDS = 120;

/**
 * Installs packages of Debian, which a suite needs and no package registry of ours has: as root alone, as CI is.
 *
 * @throws What apt says. Anybody else has to install them.
 */
export async function installDebianPackages(names: readonly string[]): Promise<void> {
  if (await areInstalled(names)) return;
  if (process.getuid?.() !== 0) {
    throw new Error(`expected ${names.join(', ')} to be installed: apt-get install ${names.join(' ')}`);
  }
  const apt = async (...args: readonly string[]): Promise<unknown> =>
    await promisify(execFile)('apt-get', ['-q', '-o', `DPkg::Lock::Timeout=${LOCK_SECONDS}`, ...args], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  await apt('update');
  await apt('install', '-y', '--no-install-recommends', ...names);
}

async function areInstalled(names: readonly string[]): Promise<boolean> {
  try {
    const { stdout } = await promisify(execFile)('dpkg-query', [
      '-W',
      '-f',
      '${db:Status-Status}\n',
      ...names,
    ]);
    return stdout
      .trim()
      .split('\n')
      .every((status) => status === 'installed');
  } catch {
    return false;
  }
}
