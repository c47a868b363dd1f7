/**
 * What the tokenizer's process is started with, by whoever starts it: `node <NODE_FLAGS> main.ts`, in an
 * environment that has {@link PROCESS_ENVIRONMENT}.
 *
 * V8 would let the space of new objects grow to 128 MB, on which a batch is no faster than on 32.
 * A heap that V8 must keep small (`--heap-growing-percent`) costs a third of what batches can do, for a
 * hundred megabytes: docs/performance.md.
 *
 * @module
 */

/**
 * Cedar's decisions are remembered: its code need not be compiled a second time, for speed. A semi-space is a
 * half of the space of new objects, in megabytes.
 */
export const NODE_FLAGS: readonly string[] = ['--liftoff-only', '--max-semi-space-size=16'];

/** One pool of memory for all threads: what one gives back another can have (mallopt(3)). */
export const PROCESS_ENVIRONMENT: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: '1' };
