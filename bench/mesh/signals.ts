import type { Workplace } from './workplace.ts';

export interface StopSign {
  /** Resolves when a signal came: what the process is to end with. */
  readonly exitCode: Promise<number>;
  readonly signal: AbortSignal;
}

/** Ctrl-C and its like: once to stop in order, twice to stop at once. Nothing is left behind either way. */
export function stopWithSignals(workplace: Workplace): StopSign {
  const interrupted = new AbortController();
  const exitCode = Promise.withResolvers<number>();
  process.on('exit', () => workplace.kill());
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
  return { exitCode: exitCode.promise, signal: interrupted.signal };
}
