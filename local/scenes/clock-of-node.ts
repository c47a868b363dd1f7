import { globSync, writeFileSync } from 'node:fs';

/** What the real time is for processes that are started so, which a file says and may say otherwise at any moment. */
export interface ClockOfNode {
  /** For the processes. */
  readonly environment: Readonly<Record<string, string>>;
  /** @param aheadMs - Of the clock of this machine; behind it where negative. */
  set(aheadMs: number): void;
}

const LIBRARY = '/usr/lib/{*/,}faketime/libfaketimeMT.so.1';

/**
 * By libfaketime, which stands between a process and its C library. The monotonic clock stays as it is: on a host whose
 * time is set it does, too. Envoy keeps its own: it gets no environment, and its allocator cannot bear the library.
 *
 * @throws {Error} where it is not installed.
 */
export function clockOfNode(file: string): ClockOfNode {
  const [library] = globSync(LIBRARY);
  if (library === undefined) {
    throw new Error(
      `expected libfaketime, which sets the clock of a process, at ${LIBRARY}: install it (on Debian and Ubuntu: apt-get install libfaketime)`,
    );
  }
  const set = (aheadMs: number): void => writeFileSync(file, `${aheadMs < 0 ? '' : '+'}${aheadMs / 1000}`);
  set(0);
  return {
    environment: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      // Of what the file says, in seconds.
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    set,
  };
}
