/**
 * Spreads the sealing and opening of batches over threads, so that one large batch neither holds up every
 * other request nor is bound to one core.
 *
 * What is asked for in one turn of the event loop is gathered. A few values are done here: to hand them to
 * another thread costs more than it saves.
 *
 * @module
 */

import { Worker } from 'node:worker_threads';
import type { BranchKey } from './core/crypto/data-key.ts';
import { sealingHere, type SealingWork } from './core/crypto/sealing.ts';
import { RecordUnopenableError } from './core/errors.ts';
import { pack, unpack, type SealingJob, type SealingResult } from './sealing-job.ts';

export interface SealingThreadsOptions {
  /** Threads besides this one; with none, all is done here. */
  readonly threads: number;
  /** From a cryptographic source. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** Told of a thread that ended; what it had to do was done here. */
  readonly onFault: (error: unknown) => void;
}

/** Fewer values of one turn than this are done here: single requests that come together are, a batch is not. */
export const VALUES_FOR_A_THREAD = 48;

/** A thread that has so many to do, a tenth of a second's work, is given no more: what comes then is done here. */
const MOST_VALUES = 4_000;

type Kind = SealingJob['kind'];

interface Asked {
  readonly branchKey: BranchKey;
  readonly context: Uint8Array;
  readonly value: Uint8Array;
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

interface UnderWay {
  readonly kind: Kind;
  readonly asked: readonly Asked[];
}

class SealingThread {
  readonly worker = new Worker(WORKER, {
    resourceLimits: { maxYoungGenerationSizeMb: 12, maxOldGenerationSizeMb: 128 },
  });
  readonly underWay = new Map<number, UnderWay>();
  values = 0;
  hasAnswered = false;
}

/** The file is a `.ts` here, and a `.js` in the package. */
const WORKER = new URL(
  `./sealing-worker${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`,
  import.meta.url,
);

export class SealingThreads implements SealingWork {
  readonly #options: SealingThreadsOptions;
  readonly #here: SealingWork;
  readonly #threads = new Set<SealingThread>();
  #gathered: Record<Kind, Asked[]> = { seal: [], open: [] };
  #jobs = 0;
  #isClosed = false;

  constructor(options: SealingThreadsOptions) {
    this.#options = options;
    this.#here = sealingHere(options.randomBytes);
    for (let each = 0; each < options.threads; each += 1) this.#start();
  }

  seal(branchKey: BranchKey, context: Uint8Array, plaintext: Uint8Array): Uint8Array | Promise<Uint8Array> {
    if (this.#threads.size === 0) return this.#here.seal(branchKey, context, plaintext);
    return this.#gather('seal', branchKey, context, plaintext);
  }

  open(branchKey: BranchKey, context: Uint8Array, bytes: Uint8Array): Uint8Array | Promise<Uint8Array> {
    if (this.#threads.size === 0) return this.#here.open(branchKey, context, bytes);
    return this.#gather('open', branchKey, context, bytes);
  }

  /** Ends the threads. What they had to do, and what is asked for from then on, is done here. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#threads].map(({ worker }) => worker.terminate()));
  }

  #start(): void {
    const thread = new SealingThread();
    thread.worker.unref();
    thread.worker.on('message', (result: SealingResult) => settle(thread, result));
    thread.worker.on('error', (error) => this.#options.onFault(error));
    thread.worker.on('exit', () => this.#ended(thread));
    this.#threads.add(thread);
  }

  /** Another takes its place, unless it never did anything: the next would end as it did. */
  #ended(thread: SealingThread): void {
    this.#threads.delete(thread);
    if (thread.hasAnswered && !this.#isClosed) this.#start();
    for (const { kind, asked } of thread.underWay.values()) asked.forEach((each) => this.#doHere(kind, each));
  }

  #gather(kind: Kind, branchKey: BranchKey, context: Uint8Array, value: Uint8Array): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const { seal, open } = this.#gathered;
    // Runs once all that can go on now has gone on, and so has asked.
    if (seal.length + open.length === 0) process.nextTick(() => this.#flush());
    this.#gathered[kind].push({ branchKey, context, value, resolve, reject });
    return promise;
  }

  #flush(): void {
    const { seal, open } = this.#gathered;
    this.#gathered = { seal: [], open: [] };
    for (const asked of byBranchKey(seal)) this.#spread('seal', asked);
    for (const asked of byBranchKey(open)) this.#spread('open', asked);
  }

  #spread(kind: Kind, asked: readonly Asked[]): void {
    const thread = asked.length < VALUES_FOR_A_THREAD ? undefined : idlest(this.#threads);
    if (thread === undefined) asked.forEach((each) => this.#doHere(kind, each));
    else this.#send(thread, kind, asked);
  }

  #send(thread: SealingThread, kind: Kind, asked: readonly Asked[]): void {
    const [first] = asked;
    if (first === undefined) return;
    this.#jobs += 1;
    const values = pack(asked.flatMap(({ context, value }) => [context, value]));
    const job: SealingJob = { id: this.#jobs, kind, branchKey: first.branchKey, values };
    thread.underWay.set(job.id, { kind, asked });
    thread.values += asked.length;
    thread.worker.postMessage(job, [values.bytes.buffer]);
  }

  #doHere(kind: Kind, { branchKey, context, value, resolve, reject }: Asked): void {
    try {
      resolve(this.#here[kind](branchKey, context, value) as Uint8Array);
    } catch (error) {
      reject(error);
    }
  }
}

function settle(thread: SealingThread, { id, values }: SealingResult): void {
  const { asked = [] } = thread.underWay.get(id) ?? {};
  thread.underWay.delete(id);
  thread.values -= asked.length;
  thread.hasAnswered = true;
  const results = unpack(values);
  asked.forEach(({ resolve, reject }, index) => {
    const bytes = results[index];
    if (bytes === undefined) reject(new RecordUnopenableError());
    else resolve(bytes);
  });
}

function byBranchKey(asked: readonly Asked[]): Iterable<readonly Asked[]> {
  return Map.groupBy(asked, ({ branchKey }) => branchKey).values();
}

function idlest(threads: ReadonlySet<SealingThread>): SealingThread | undefined {
  const [first] = [...threads].toSorted((one, other) => one.values - other.values);
  return first === undefined || first.values >= MOST_VALUES ? undefined : first;
}
