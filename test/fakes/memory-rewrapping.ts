import { StoreUnavailableError } from '../../sidecar/tokenizer/core/errors.ts';
import type { SealedCode, SealedField, TokenRecord } from '../../sidecar/tokenizer/core/ports.ts';
import type {
  ResealStore,
  RewrapAsk,
  RewrapAsks,
  SealedRow,
  SealedRows,
} from '../../sidecar/tokenizer/core/rewrapping/ports.ts';
import type { MemoryTokenStore } from './memory-token-store.ts';

/** Seals anew what a {@link MemoryTokenStore} holds. */
export class MemoryResealStore implements ResealStore {
  readonly #store: MemoryTokenStore;
  /** Before each write, as others act on the store meanwhile. */
  meanwhile: (read: TokenRecord | SealedCode) => void | Promise<void> = () => undefined;

  constructor(store: MemoryTokenStore) {
    this.#store = store;
  }

  async resealRecord(
    read: TokenRecord,
    fields: ReadonlyMap<string, SealedField>,
  ): Promise<TokenRecord | 'changed'> {
    await this.meanwhile(read);
    if (this.#store.isDown) throw new StoreUnavailableError();
    const id = `${read.tenant}#${read.token}`;
    const found = this.#store.records.get(id);
    if (found === undefined || !isSame(found.fields, read.fields)) return 'changed';
    const resealed = { ...found, fields };
    this.#store.records.set(id, resealed);
    return resealed;
  }

  async resealCode(read: SealedCode, message: Uint8Array): Promise<'resealed' | 'changed'> {
    await this.meanwhile(read);
    if (this.#store.isDown) throw new StoreUnavailableError();
    const id = `${read.tenant}#${read.token}`;
    const found = this.#store.codes.get(id);
    if (found === undefined || !Buffer.from(found.message).equals(read.message)) return 'changed';
    this.#store.codes.set(id, { ...found, message });
    return 'resealed';
  }
}

function isSame(one: ReadonlyMap<string, SealedField>, other: ReadonlyMap<string, SealedField>): boolean {
  return (
    one.size === other.size &&
    [...one].every(([name, field]) => {
      const there = other.get(name);
      if (there === undefined || !Buffer.from(there.message).equals(field.message)) return false;
      return there.class === field.class && there.searchable === field.searchable;
    })
  );
}

/** The rows of a {@link MemoryTokenStore}, in the order in which they were stored, codes last. */
export class MemorySealedRows implements SealedRows {
  readonly #store: MemoryTokenStore;

  constructor(store: MemoryTokenStore) {
    this.#store = store;
  }

  async page(
    tenant: string,
    cursor: string | undefined,
    limit: number,
  ): Promise<{ readonly rows: readonly SealedRow[]; readonly cursor?: string }> {
    if (this.#store.isDown) throw new StoreUnavailableError();
    const all = [...this.all()];
    const start = Number(cursor ?? 0);
    const rows = all.slice(start, start + limit).filter((row) => tenantOf(row) === tenant);
    return start + limit < all.length ? { rows, cursor: String(start + limit) } : { rows };
  }

  *all(): IterableIterator<SealedRow> {
    for (const record of this.#store.records.values()) yield { kind: 'record', record };
    for (const code of this.#store.codes.values()) yield { kind: 'code', code };
  }
}

function tenantOf(row: SealedRow): string {
  if (row.kind === 'record') return row.record.tenant;
  return row.kind === 'code' ? row.code.tenant : row.key.tenant;
}

export class MemoryRewrapAsks implements RewrapAsks {
  readonly #asks = new Map<string, RewrapAsk>();

  async find(tenant: string): Promise<RewrapAsk | undefined> {
    return this.#asks.get(tenant);
  }

  async put(tenant: string, ask: RewrapAsk): Promise<void> {
    this.#asks.set(tenant, ask);
  }

  async remove(tenant: string, id: string): Promise<void> {
    if (this.#asks.get(tenant)?.id === id) this.#asks.delete(tenant);
  }
}
