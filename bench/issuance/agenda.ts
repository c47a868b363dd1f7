type Turn = (nowMs: number) => void;

/** What is to happen when: a binary heap by time, and by order of entry at one time. */
export class Agenda {
  readonly #heap: { readonly atMs: number; readonly entry: number; readonly turn: Turn }[] = [];
  #entries = 0;

  at(atMs: number, turn: Turn): void {
    const heap = this.#heap;
    heap.push({ atMs, entry: (this.#entries += 1), turn });
    for (let child = heap.length - 1; child > 0;) {
      const parent = (child - 1) >> 1;
      if (this.#isBefore(parent, child)) return;
      this.#swap(parent, child);
      child = parent;
    }
  }

  /** Lets all that is due by then happen, and what comes of it. */
  runUntil(endMs: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= endMs; next = this.#heap[0]) {
      this.#removeFirst();
      next.turn(next.atMs);
    }
  }

  #removeFirst(): void {
    const heap = this.#heap;
    this.#swap(0, heap.length - 1);
    heap.pop();
    for (let parent = 0; ;) {
      const [left, right] = [2 * parent + 1, 2 * parent + 2];
      if (left >= heap.length) return;
      const child = right < heap.length && this.#isBefore(right, left) ? right : left;
      if (this.#isBefore(parent, child)) return;
      this.#swap(parent, child);
      parent = child;
    }
  }

  #isBefore(one: number, other: number): boolean {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    if (a === undefined || b === undefined) return true;
    return a.atMs === b.atMs ? a.entry < b.entry : a.atMs < b.atMs;
  }

  #swap(one: number, other: number): void {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    if (a === undefined || b === undefined) return;
    this.#heap[one] = b;
    this.#heap[other] = a;
  }
}
