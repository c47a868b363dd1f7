/**
 * A fuzzer that is led by coverage: what reaches a part that nothing reached before is kept, and changed further.
 *
 * @module
 */

import { Reached, startCoverage } from './coverage.ts';
import { mutate, type Below } from './mutate.ts';

export interface Target {
  /** What it begins with: well-formed inputs, each of another shape. */
  readonly seeds: readonly (string | Uint8Array)[];
  /** @throws Where a promise of the code does not hold for these bytes. */
  run(bytes: Buffer): void | Promise<void>;
}

export interface Fuzzed {
  readonly runs: number;
  /** Inputs that reached something new. */
  readonly kept: number;
  /** Of our own code, that were reached. */
  readonly functions: number;
  /** The first input that broke a promise, and how. */
  readonly failure?: { readonly input: Buffer; readonly error: unknown };
}

/** Coverage is asked for once in so many inputs: it takes longer than they do. */
const BATCH = 50;

/**
 * @param below - Random, the same for the same seed.
 * @param isMeasured - Of which modules, by their URL, every part is to be reached.
 */
export async function fuzz(
  target: Target,
  forMs: number,
  below: Below,
  isMeasured: (url: string) => boolean = isOurs,
): Promise<Fuzzed> {
  const coverage = await startCoverage(isMeasured);
  const corpus: Buffer[] = target.seeds.map((seed) => Buffer.from(seed as string));
  const reached = new Reached();
  let runs = 0;
  const failures: NonNullable<Fuzzed['failure']>[] = [];
  const attempt = async (input: Buffer): Promise<void> => {
    runs += 1;
    try {
      await target.run(input);
    } catch (error) {
      failures.push({ input, error });
    }
  };
  try {
    for (const seed of corpus) await attempt(seed);
    reached.add(await coverage.take());
    const end = performance.now() + forMs;
    while (performance.now() < end && failures.length === 0) {
      const batch = Array.from({ length: BATCH }, () =>
        mutate(corpus[below(corpus.length)] ?? Buffer.alloc(0), below, corpus),
      );
      for (const input of batch) await attempt(input);
      const ran = await coverage.take();
      if (!new Reached(reached).add(ran)) continue;
      for (const input of batch) {
        await attempt(input);
        if (reached.add(await coverage.take())) corpus.push(input);
      }
    }
    return {
      runs,
      kept: corpus.length - target.seeds.length,
      functions: reached.functions,
      ...(failures[0] === undefined ? {} : { failure: failures[0] }),
    };
  } finally {
    await coverage.stop();
  }
}

function isOurs(url: string): boolean {
  return url.startsWith('file:') && !url.includes('/node_modules/') && !url.includes('/test/');
}
