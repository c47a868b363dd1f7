/** The exit code of a command that Ctrl-C ended as it should. */
const EXIT_INTERRUPTED = 130;

/**
 * For a command that goes on until Ctrl-C: the signal tells it to end, in order. What is still to be done
 * is done, and the exit code is the one that shells give. A second Ctrl-C ends it at once.
 */
export function untilInterrupted(): AbortController {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      process.exitCode = signal === 'SIGINT' ? EXIT_INTERRUPTED : 143;
      interrupted.abort();
    });
  }
  return interrupted;
}
