import { StoreUnavailableError } from '../../sidecar/tokenizer/core/errors.ts';
import type {
  FindOutcome,
  RecordKey,
  SealedCode,
  TokenRecord,
  TokenStore,
} from '../../sidecar/tokenizer/core/ports.ts';

/** A token store in memory, which can be told to be down. */
export class MemoryTokenStore implements TokenStore {
  readonly records = new Map<string, TokenRecord>();
  readonly codes = new Map<string, SealedCode>();
  /** While set, no call is answered and nothing is changed. */
  isDown = false;
  /** Tokens of a batch that the store does not get to. */
  lose: (record: RecordKey) => boolean = () => false;

  async insert(record: TokenRecord, now?: Date): Promise<'stored' | 'taken'> {
    this.#answer();
    const found = this.records.get(idOf(record));
    const isExpired = now !== undefined && found?.expiresAt !== undefined && found.expiresAt <= now;
    if (found !== undefined && !isExpired) return 'taken';
    this.records.set(idOf(record), record);
    return 'stored';
  }

  async insertMany(records: readonly TokenRecord[]): Promise<('stored' | 'unavailable')[]> {
    return records.map((record) => {
      if (this.isDown || this.lose(record)) return 'unavailable';
      this.records.set(idOf(record), record);
      return 'stored';
    });
  }

  async find(key: RecordKey): Promise<TokenRecord | undefined> {
    this.#answer();
    return this.records.get(idOf(key));
  }

  async findMany(keys: readonly RecordKey[]): Promise<FindOutcome[]> {
    return keys.map((key) => {
      if (this.isDown || this.lose(key)) return 'unavailable';
      return this.records.get(idOf(key)) ?? 'missing';
    });
  }

  async remove(key: RecordKey): Promise<'removed' | 'missing'> {
    this.#answer();
    return this.records.delete(idOf(key)) ? 'removed' : 'missing';
  }

  async consume(tombstone: TokenRecord): Promise<'consumed' | 'gone'> {
    this.#answer();
    const found = this.records.get(idOf(tombstone));
    const isUsable = found?.consumedAt === undefined && found?.archivedAt === undefined;
    if (found?.kind !== 'one-time' || !isUsable) return 'gone';
    this.records.set(idOf(tombstone), tombstone);
    return 'consumed';
  }

  async replace(record: TokenRecord, revision: number): Promise<'replaced' | 'conflict'> {
    this.#answer();
    const found = this.records.get(idOf(record));
    if (found?.revision !== revision || found.archivedAt !== undefined) return 'conflict';
    this.records.set(idOf(record), record);
    return 'replaced';
  }

  async archive(key: RecordKey, archivedAt: Date | undefined): Promise<TokenRecord | 'unchanged'> {
    this.#answer();
    const found = this.records.get(idOf(key));
    if (found === undefined || found.consumedAt !== undefined) return 'unchanged';
    if ((found.archivedAt !== undefined) === (archivedAt !== undefined)) return 'unchanged';
    const { archivedAt: _, ...rest } = found;
    const changed = archivedAt === undefined ? rest : { ...rest, archivedAt };
    this.records.set(idOf(key), changed);
    return changed;
  }

  async insertCodes(codes: readonly SealedCode[]): Promise<('stored' | 'unavailable')[]> {
    return codes.map((code) => {
      if (this.isDown || this.lose(code)) return 'unavailable';
      this.codes.set(idOf(code), code);
      return 'stored';
    });
  }

  async findCode(key: RecordKey): Promise<SealedCode | undefined> {
    this.#answer();
    return this.codes.get(idOf(key));
  }

  async consumeCode(key: RecordKey): Promise<'consumed' | 'gone'> {
    this.#answer();
    return this.codes.delete(idOf(key)) ? 'consumed' : 'gone';
  }

  async checkReachable(): Promise<void> {
    this.#answer();
  }

  #answer(): void {
    if (this.isDown) throw new StoreUnavailableError();
  }
}

function idOf({ tenant, token }: RecordKey): string {
  return `${tenant}#${token}`;
}
