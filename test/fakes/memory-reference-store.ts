import type { TokenRecord, TokenStore } from '../../sidecar/tokenizer/core/ports.ts';
import type { ReferenceKey, ReferenceStore } from '../../sidecar/tokenizer/core/reference-store.ts';

/** References in memory, beside the records of a store. */
export class MemoryReferenceStore implements ReferenceStore {
  readonly tokens = new Map<string, string>();
  readonly #store: TokenStore;

  constructor(store: TokenStore) {
    this.#store = store;
  }

  async find(key: ReferenceKey): Promise<string | undefined> {
    await this.#store.checkReachable();
    return this.tokens.get(idOf(key));
  }

  async point(
    key: ReferenceKey,
    record: TokenRecord,
    seen: string | undefined,
  ): Promise<'stored' | 'conflict'> {
    await this.#store.checkReachable();
    if (this.tokens.get(idOf(key)) !== seen) return 'conflict';
    // Before the next await: nobody else is to see the reference as it was.
    this.tokens.set(idOf(key), record.token);
    if ((await this.#store.insert(record)) === 'stored') return 'stored';
    if (seen === undefined) this.tokens.delete(idOf(key));
    else this.tokens.set(idOf(key), seen);
    return 'conflict';
  }
}

function idOf({ tenant, reference }: ReferenceKey): string {
  return `${tenant}#${reference}`;
}
