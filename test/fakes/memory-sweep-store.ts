import { minuteOf, shardOf, sweepBucketOf } from '../../sidecar/tokenizer/core/sweep-bucket.ts';
import type { ExpiredItem, SweepStore } from '../../sidecar/tokenizer/core/sweeping.ts';

const PAGE_ITEMS = 3;

/** Items that expire, in memory, and which buckets were looked at. */
export class MemorySweepStore implements SweepStore {
  readonly items: ExpiredItem[] = [];
  readonly asked: string[] = [];
  isDown = false;
  /** Told of each removal before it is made; what it throws, the removal throws. */
  onRemove: (item: ExpiredItem) => void = () => undefined;

  add(expiresAt: Date, sortKey = 'record', token = `token ${this.items.length}`): void {
    const key = sortKey === 'record' ? { key: { tenant: 'shop', token } } : {};
    this.items.push({ partition: `shop#${token}`, sortKey, expiresAt, ...key });
  }

  async *expiredIn(bucket: string, now: Date): AsyncGenerator<ExpiredItem[]> {
    this.asked.push(bucket);
    if (this.isDown) throw new Error('down');
    const found = this.items.filter(
      ({ partition, expiresAt }) =>
        sweepBucketOf(minuteOf(expiresAt), shardOf(partition)) === bucket && expiresAt <= now,
    );
    for (let start = 0; start < found.length; start += PAGE_ITEMS) {
      yield found.slice(start, start + PAGE_ITEMS);
    }
  }

  async removeExpired(item: ExpiredItem): Promise<'removed' | 'kept'> {
    this.onRemove(item);
    const index = this.items.findIndex(
      ({ partition, sortKey, expiresAt }) =>
        partition === item.partition &&
        sortKey === item.sortKey &&
        expiresAt.getTime() === item.expiresAt.getTime(),
    );
    if (index < 0) return 'kept';
    this.items.splice(index, 1);
    return 'removed';
  }
}
