export interface StopSign {
  /** Resolves when a signal came: what the process is to end with. */
  readonly exitCode: Promise<number>;
  readonly signal: AbortSignal;
  /** Stops in order without a signal: from then on the first signal stops at once. */
  abort(): void;
}

/**
 * Ctrl-C and its like: once to stop in order, twice to stop at once. Whoever starts processes has them end
 * with this one, on `exit`.
 */
export function stopWithSignals(): StopSign {
  const interrupted = new AbortController();
  const exitCode = Promise.withResolvers<number>();
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => {
      if (interrupted.signal.aborted) process.exit(code);
      interrupted.abort();
      exitCode.resolve(code);
    });
  }
  const { signal } = interrupted;
  return { exitCode: exitCode.promise, signal, abort: () => interrupted.abort() };
}
