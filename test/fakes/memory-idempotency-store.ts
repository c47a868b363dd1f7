import { StoreUnavailableError } from '../../sidecar/tokenizer/core/errors.ts';
import type { IdempotencyEntry, IdempotencyStore } from '../../sidecar/tokenizer/core/idempotency-store.ts';

/** Entries in memory. */
export class MemoryIdempotencyStore implements IdempotencyStore {
  readonly entries = new Map<string, IdempotencyEntry>();
  isDown = false;

  async insert(id: string, entry: IdempotencyEntry, now: Date): Promise<'stored' | IdempotencyEntry> {
    this.#answer();
    const found = this.entries.get(id);
    if (found !== undefined && now < found.expiresAt) return found;
    this.entries.set(id, entry);
    return 'stored';
  }

  async replace(id: string, entry: IdempotencyEntry, claim: string): Promise<'replaced' | 'conflict'> {
    this.#answer();
    if (this.entries.get(id)?.claim !== claim) return 'conflict';
    this.entries.set(id, entry);
    return 'replaced';
  }

  async remove(id: string, claim: string): Promise<void> {
    this.#answer();
    if (this.entries.get(id)?.claim === claim) this.entries.delete(id);
  }

  #answer(): void {
    if (this.isDown) throw new StoreUnavailableError();
  }
}
