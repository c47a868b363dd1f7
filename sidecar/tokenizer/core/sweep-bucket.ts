import { crc32 } from 'node:zlib';

/** Keys of one minute are spread over so many buckets, so that many records that expire together make no hot partition. */
export const SWEEP_SHARDS = 16;

const MINUTE_MS = 60_000;

/** Minutes since 1970, whole. */
export function minuteOf(at: Date): number {
  return Math.floor(at.getTime() / MINUTE_MS);
}

export function shardOf(partition: string): number {
  return crc32(partition) % SWEEP_SHARDS;
}

/** Where the sweeper finds what expires in a minute: the hash key of the index `by-expiry`. */
export function sweepBucketOf(minute: number, shard: number): string {
  return `${minute}#${shard}`;
}
