/**
 * Has what many ask for one at a time done together.
 *
 * What comes while nothing is under way goes at once, with whatever came in the same turn of the event
 * loop. What comes while calls are under way waits for one of them to end, for a call to be full or for
 * its time, whichever is first. What a call leaves undone is tried again after a pause.
 *
 * @module
 */

export interface GatheringOptions<Entry, Result> {
  /** Entries of one call. */
  readonly mostInCall: number;
  /** Calls under way at a time. */
  readonly mostCalls: number;
  /** How long an entry waits for company, at most, while a further call could be made. */
  readonly waitMs: number;
  /** Entries that may wait at a time; what comes then is refused. */
  readonly mostWaiting: number;
  /** Entries of one name never travel in one call; those that ask for the same thing share an entry before. */
  readonly nameOf: (entry: Entry) => string;
  /**
   * Makes one call.
   *
   * @returns Of each entry its result, or that it was left undone. Must not reject.
   */
  readonly send: (entries: readonly Entry[]) => Promise<readonly Sent<Result>[]>;
  /** What an entry is told that was left undone each time. */
  readonly exhausted: () => Error;
  /** What an entry is told for which there is no room. */
  readonly refused: () => Error;
  /** What an entry is told whose time is up. */
  readonly late: () => Error;
  /** For the pause before another try. */
  readonly random: () => number;
}

export type Sent<Result> = { readonly result: Result } | { readonly error: Error } | 'undone';

interface Waiting<Entry, Result> {
  readonly entry: Entry;
  /** Of `performance.now()`. */
  readonly lateAt: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
  tries: number;
}

/** How often it is looked for entries whose time is up: one timer for all of them, since there are thousands. */
const LATE_CHECK_MS = 25;

/** Tries of one entry in all. */
const TRIES = 6;
const FIRST_PAUSE_MS = 25;

export class Gathering<Entry, Result> {
  readonly #options: GatheringOptions<Entry, Result>;
  #waiting: Waiting<Entry, Result>[] = [];
  #paused = 0;
  /** Those that nobody was told of yet, waiting or under way. */
  readonly #untold = new Set<Waiting<Entry, Result>>();
  #isLateChecked = false;
  #underWay = 0;
  #isTurnEnding = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: GatheringOptions<Entry, Result>) {
    this.#options = options;
  }

  /** How many entries wait for their call. */
  get waiting(): number {
    return this.#waiting.length + this.#paused;
  }

  /**
   * @param patienceMs - After that the entry is in no further call; one that is under way may be done all the same.
   * @throws What `exhausted`, `refused` and `late` make, and what a call said of this entry.
   */
  add(entry: Entry, patienceMs: number): Promise<Result> {
    const { mostWaiting, refused } = this.#options;
    if (this.waiting >= mostWaiting) return Promise.reject(refused());
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const waiting = { entry, lateAt: performance.now() + patienceMs, resolve, reject, tries: 0 };
    this.#untold.add(waiting);
    this.#checkLate();
    this.#queue(waiting);
    return promise;
  }

  #queue(waiting: Waiting<Entry, Result>): void {
    const { mostInCall, waitMs } = this.#options;
    this.#waiting.push(waiting);
    if (this.#waiting.length >= mostInCall) this.#sendWaiting();
    else if (this.#underWay === 0) this.#sendAfterTurn();
    else this.#timer ??= setTimeout(() => this.#timeIsUp(), waitMs);
  }

  /** After all that goes on in this turn has gone on, and so has asked. */
  #sendAfterTurn(): void {
    if (this.#isTurnEnding) return;
    this.#isTurnEnding = true;
    setImmediate(() => {
      this.#isTurnEnding = false;
      this.#sendWaiting();
    });
  }

  #timeIsUp(): void {
    this.#timer = undefined;
    this.#sendWaiting();
  }

  #sendWaiting(): void {
    while (this.#waiting.length > 0 && this.#underWay < this.#options.mostCalls)
      void this.#call(this.#take());
    if (this.#waiting.length === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
  }

  /** The entries of the next call; one whose name is among them already waits for another. */
  #take(): Waiting<Entry, Result>[] {
    const { mostInCall, nameOf } = this.#options;
    const names = new Set<string>();
    const taken: Waiting<Entry, Result>[] = [];
    const left: Waiting<Entry, Result>[] = [];
    for (const [index, each] of this.#waiting.entries()) {
      if (taken.length === mostInCall) {
        left.push(...this.#waiting.slice(index));
        break;
      }
      if (!this.#untold.has(each)) continue;
      const name = nameOf(each.entry);
      (names.has(name) ? left : taken).push(each);
      names.add(name);
    }
    this.#waiting = left;
    return taken;
  }

  async #call(taken: readonly Waiting<Entry, Result>[]): Promise<void> {
    if (taken.length === 0) return;
    this.#underWay += 1;
    const sent = await this.#options.send(taken.map(({ entry }) => entry));
    this.#underWay -= 1;
    taken.forEach((each, index) => this.#settle(each, sent[index] ?? 'undone'));
    this.#sendWaiting();
  }

  #settle(waiting: Waiting<Entry, Result>, sent: Sent<Result>): void {
    if (!this.#untold.has(waiting)) return;
    if (sent === 'undone') this.#again(waiting);
    else if ('error' in sent) this.#told(waiting).reject(sent.error);
    else this.#told(waiting).resolve(sent.result);
  }

  /** The pause is random up to its bound ("full jitter"), so that callers throttled together do not come back together. */
  #again(waiting: Waiting<Entry, Result>): void {
    const { random, exhausted } = this.#options;
    waiting.tries += 1;
    if (waiting.tries >= TRIES) {
      this.#told(waiting).reject(exhausted());
      return;
    }
    this.#paused += 1;
    setTimeout(
      () => {
        this.#paused -= 1;
        this.#queue(waiting);
      },
      random() * FIRST_PAUSE_MS * 2 ** waiting.tries,
    );
  }

  #told(waiting: Waiting<Entry, Result>): Waiting<Entry, Result> {
    this.#untold.delete(waiting);
    return waiting;
  }

  #checkLate(): void {
    if (this.#isLateChecked || this.#untold.size === 0) return;
    this.#isLateChecked = true;
    setTimeout(() => this.#tellLate(), LATE_CHECK_MS).unref();
  }

  #tellLate(): void {
    this.#isLateChecked = false;
    const now = performance.now();
    for (const waiting of this.#untold) {
      if (waiting.lateAt <= now) this.#told(waiting).reject(this.#options.late());
    }
    this.#checkLate();
  }
}
