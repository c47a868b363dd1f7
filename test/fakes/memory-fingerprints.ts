import { randomBytes } from 'node:crypto';
import { KeyUnavailableError, StoreUnavailableError } from '../../sidecar/tokenizer/core/errors.ts';
import type {
  FingerprintIndex,
  FingerprintKeys,
  FingerprintRing,
  IndexKey,
  IndexRow,
} from '../../sidecar/tokenizer/core/fingerprints/ports.ts';
import { versionKeys, type VersionKeys } from '../../sidecar/tokenizer/core/fingerprints/version-keys.ts';

/** Keys in memory, one ring for every tenant, whose versions a test may turn. */
export class MemoryFingerprintKeys implements FingerprintKeys {
  readonly #made = new Map<string, VersionKeys>();
  write = [1];
  read = [1];
  isDown = false;

  async ringOf(tenant: string): Promise<FingerprintRing> {
    if (this.isDown) throw new KeyUnavailableError();
    const of = (versions: readonly number[]) => versions.map((version) => this.#keysOf(tenant, version));
    return { write: of(this.write), read: of(this.read) };
  }

  #keysOf(tenant: string, version: number): VersionKeys {
    const name = `${tenant}#${version}`;
    const keys = this.#made.get(name) ?? versionKeys(version, randomBytes(32));
    this.#made.set(name, keys);
    return keys;
  }
}

/** The index in memory, which can be told to be down. */
export class MemoryFingerprintIndex implements FingerprintIndex {
  readonly rows = new Map<string, IndexRow>();
  isDown = false;

  async claim(row: IndexRow): Promise<'claimed' | Uint8Array> {
    this.#answer();
    const found = this.rows.get(placeOf(row));
    if (found !== undefined) return found.sealedToken;
    this.rows.set(placeOf(row), row);
    return 'claimed';
  }

  async put(rows: readonly IndexRow[]): Promise<void> {
    this.#answer();
    for (const row of rows) this.rows.set(placeOf(row), row);
  }

  async find(key: IndexKey): Promise<Uint8Array | undefined> {
    this.#answer();
    return this.rows.get(placeOf(key))?.sealedToken;
  }

  async list(partition: string, prefix: string, limit: number): Promise<IndexRow[]> {
    this.#answer();
    const found = [...this.rows.values()].filter(
      (row) => row.partition === partition && row.sortKey.startsWith(prefix),
    );
    return found.toSorted((one, other) => (one.sortKey < other.sortKey ? -1 : 1)).slice(0, limit);
  }

  async remove(keys: readonly IndexKey[]): Promise<void> {
    this.#answer();
    for (const key of keys) this.rows.delete(placeOf(key));
  }

  #answer(): void {
    if (this.isDown) throw new StoreUnavailableError();
  }
}

function placeOf({ partition, sortKey }: IndexKey): string {
  return `${partition} ${sortKey}`;
}
