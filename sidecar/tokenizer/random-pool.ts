import { randomFillSync } from 'node:crypto';

/** Some eighty records' worth: one call to the system's source costs as much for all of them as for one. */
const POOL_BYTES = 8_192;

/**
 * Random bytes of the system's source, drawn many at a time.
 *
 * Each byte is handed out once, as a copy, and is overwritten where it lay: from then on it is with the
 * caller alone.
 */
export function createRandomPool(): (count: number) => Uint8Array {
  const pool = Buffer.alloc(POOL_BYTES);
  let used = POOL_BYTES;
  return (count) => {
    if (count > POOL_BYTES) return randomFillSync(Buffer.alloc(count));
    if (used + count > POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    const drawn = Buffer.from(pool.subarray(used, used + count));
    pool.fill(0, used, used + count);
    used += count;
    return drawn;
  };
}
