import { createCipheriv } from 'node:crypto';

const POOL_BYTES = 65_536;

/** Bytes that look random and are the same in every run (AES-256 in counter mode, under a key that is known). */
export function seededRandom(seed: number): (count: number) => Uint8Array {
  const key = Buffer.alloc(32);
  key.writeUInt32BE(seed, 0);
  const stream = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  let pool = Buffer.alloc(0);
  return (count) => {
    if (pool.length < count) pool = stream.update(Buffer.alloc(POOL_BYTES));
    const bytes = pool.subarray(0, count);
    pool = pool.subarray(count);
    return bytes;
  };
}
