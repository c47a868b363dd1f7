/** Reproducible choices: the same seed makes the same corpus on every machine. */
export interface Seeded {
  /** From 0 to below `limit`. */
  below(limit: number): number;
  of<Item>(items: readonly Item[]): Item;
  digits(count: number): string;
}

/** Mulberry32: 32 bits of state are plenty for a corpus, and none of it is a secret. */
export function seeded(seed: number): Seeded {
  let state = seed >>> 0;
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
  return {
    below,
    of(items) {
      const item = items[below(items.length)];
      if (item === undefined) throw new RangeError('expected something to choose from');
      return item;
    },
    digits: (count) => Array.from({ length: count }, () => String(below(10))).join(''),
  };
}
