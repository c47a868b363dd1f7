/**
 * What the tokenizer's process is started with, by whoever starts it: `node <NODE_FLAGS> main.ts`, in an
 * environment that has {@link PROCESS_ENVIRONMENT}.
 *
 * Its garbage is short-lived and of few kinds, so a small heap that is collected often serves it better
 * than one that V8 lets grow to a multiple of what is in use: a third of the memory, for a few percent of
 * the time. None of it is a limit: what a large batch needs it gets.
 *
 * @module
 */

export const NODE_FLAGS: readonly string[] = [
  '--max-semi-space-size=8',
  '--initial-old-space-size=48',
  '--heap-growing-percent=20',
  // Cedar's decisions are remembered: its code need not be compiled a second time, for speed.
  '--liftoff-only',
];

/** One pool of memory for all threads: what one gives back another can have (mallopt(3)). */
export const PROCESS_ENVIRONMENT: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: '1' };
