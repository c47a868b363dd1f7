import { describe, expect, it } from '@jest/globals';
import { createRandomPool } from '../../../sidecar/tokenizer/random-pool.ts';

describe('the pool of random bytes', () => {
  it('gives as many as are asked for, more than it holds too', () => {
    const randomBytes = createRandomPool();
    for (const count of [0, 1, 92, 8_191, 8_192, 8_193, 100_000])
      expect(randomBytes(count)).toHaveLength(count);
  });

  it('gives no bytes twice, over many fillings', () => {
    const randomBytes = createRandomPool();
    const drawn = Array.from({ length: 5_000 }, () => Buffer.from(randomBytes(16)).toString('hex'));
    expect(new Set(drawn).size).toBe(5_000);
    expect(drawn).not.toContain('0'.repeat(32));
  });

  it('keeps its hands off what it gave', () => {
    const randomBytes = createRandomPool();
    const first = randomBytes(64);
    const copy = Buffer.from(first);
    for (let each = 0; each < 1_000; each += 1) randomBytes(64).fill(0);
    expect(copy.equals(first)).toBe(true);
  });

  it('gives bytes that are spread evenly', () => {
    const counts = Array.from({ length: 256 }, () => 0);
    for (const byte of createRandomPool()(1_000_000)) counts[byte] = (counts[byte] ?? 0) + 1;
    const expected = 1_000_000 / 256;
    const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 255 degrees of freedom: above 400 once in some 10^8 runs.
    expect(chiSquare).toBeLessThan(400);
  });
});
