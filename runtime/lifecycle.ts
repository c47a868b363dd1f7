/**
 * How every process of ours ends: on SIGTERM, SIGINT, or, where its parent asks
 * for it, when that parent is gone.
 *
 * @module
 */

/** Set to `1` by a parent that holds the child's standard input open for as long as it lives. */
const STOP_WITH_PARENT = 'TOKENMESH_STOP_WITH_PARENT';

/** How long a process may take to drain before it is ended all the same. */
const STOP_DEADLINE_MS = 8_000;

/**
 * Runs `stop` once, at the first sign that the process has to end, then exits.
 *
 * A pipe on standard input ends when the parent dies, even by SIGKILL: no
 * signal tells a child of that. In a container standard input is closed from
 * the start, so this is done only where the parent asks for it.
 */
export function stopOnSignal(stop: () => Promise<void>): void {
  let stopping = false;
  const end = (exitCode: number): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), STOP_DEADLINE_MS).unref();
    stop().then(
      () => process.exit(exitCode),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', () => end(0));
  process.on('SIGINT', () => end(130));
  if (process.env[STOP_WITH_PARENT] === '1') {
    process.stdin.on('error', () => end(1));
    process.stdin.on('end', () => end(1));
    process.stdin.resume();
  }
}
