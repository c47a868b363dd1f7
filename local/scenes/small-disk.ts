import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Said to the process that has the disk. */
const HAS_DISK = 'TOKENMESH_SCENE_HAS_SMALL_DISK';

const NOT_MOUNTED = 97;
const MOUNT_THEN_RUN = `mount -t tmpfs -o size=512m tmpfs /dev/shm || exit ${NOT_MOUNTED}; exec "$0" "$@"`;

/**
 * Starts this program again where a run has its folder on a disk of its own, small enough to be filled: a mount
 * namespace, which nobody else sees and which ends with it.
 *
 * @returns Its exit code; undefined in the process that has the disk.
 */
export async function runOnSmallDisk(): Promise<number | undefined> {
  if (process.env[HAS_DISK] !== undefined) return undefined;
  const namespace = ['--mount', ...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'])];
  const child = spawn(
    'unshare',
    [
      ...[...namespace, 'sh', '-c', MOUNT_THEN_RUN, process.execPath],
      ...[...process.execArgv, ...process.argv.slice(1)],
    ],
    { stdio: 'inherit', env: { ...process.env, [HAS_DISK]: '1' } },
  );
  // A terminal tells the other as well; it stops its mesh, and then this one ends too.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code === NOT_MOUNTED) {
    throw new Error(
      'expected to be able to mount a small disk in a namespace of its own: play this scene as root',
    );
  }
  return code ?? 1;
}
