import { AuditUnavailableError } from '../errors.ts';
import { AuditChain, ChainTakenError, type ChainParts } from './chain.ts';
import { withheldRecord } from './record.ts';
import { takeSegment, type Waiting } from './waiting.ts';

/** At most this long does a segment stay unsealed, while KMS answers. */
export const SEAL_INTERVAL_MS = 2_000;

/** At most so many segments stay unsealed, while KMS answers. */
export const SEAL_SEGMENTS = 256;

export interface TrailParts extends Omit<ChainParts, 'writer'> {
  /** Who writes, in the records that the audit makes about itself. */
  readonly identity: string;
  /** A name that no chain had before. */
  readonly newWriter: () => string;
  /** Told of what failed, since those who wait are only told that the audit is not available. */
  readonly onFault: (error: unknown) => void;
}

/**
 * Writes records in segments: while one segment is on its way the next collects, and everybody whose
 * records are in it waits for that one write ("group commit"). Who comes alone does not wait for others.
 */
export class AuditTrail {
  readonly #parts: TrailParts;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #chain: AuditChain | undefined;
  #unwritten = 0;
  #sealing: Promise<void> | undefined;
  #sealTriedAtMs = -Infinity;

  constructor(parts: TrailParts) {
    this.#parts = parts;
  }

  /**
   * Resolves once every record is durable.
   *
   * @param records - As JSON.
   * @throws {AuditUnavailableError} where that is not known, so that nothing may be handed out.
   */
  async append(records: readonly string[]): Promise<void> {
    if (records.length === 0) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ records, taken: 0, resolve, reject });
    this.#writing ??= this.#writeAll();
    await promise;
  }

  /** Counts records that were lost before they came here, so that a later record tells of them. */
  countUnwritten(records: number): void {
    this.#unwritten += records;
  }

  /** @throws {AuditUnavailableError} */
  async open(): Promise<AuditChain> {
    this.#chain ??= new AuditChain({ ...this.#parts, writer: this.#parts.newWriter() });
    const chain = this.#chain;
    await this.#keepingTrack(chain, async () => await chain.open());
    return chain;
  }

  /** To be called now and then: seals what has stayed unsealed for its time. Never rejects. */
  async sealIfDue(): Promise<void> {
    const chain = this.#chain;
    if (this.#sealing === undefined && chain !== undefined && this.#isSealDue(chain)) {
      this.#sealing = this.#seal(chain);
    }
    await this.#sealing;
  }

  /** Waits for what is on its way, and seals the end of the chain. Never rejects. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#sealing;
    const chain = this.#chain;
    if (chain !== undefined && !chain.isSealed) await this.#seal(chain);
  }

  #isSealDue(chain: AuditChain): boolean {
    if (chain.isSealed) return false;
    const isTime = this.#parts.now().getTime() - this.#sealTriedAtMs >= SEAL_INTERVAL_MS;
    return isTime || chain.unsealedSegments >= SEAL_SEGMENTS;
  }

  async #seal(chain: AuditChain): Promise<void> {
    this.#sealTriedAtMs = this.#parts.now().getTime();
    try {
      await this.#keepingTrack(chain, async () => await chain.seal());
    } catch (error) {
      this.#parts.onFault(error);
    } finally {
      this.#sealing = undefined;
    }
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#writeNext();
      void this.sealIfDue();
    }
    this.#writing = undefined;
  }

  async #writeNext(): Promise<void> {
    const { records, finished } = takeSegment(this.#waiting);
    try {
      const chain = await this.open();
      await this.#keepingTrack(chain, async () => await this.#write(chain, records));
      for (const each of finished) each.resolve();
    } catch (error) {
      this.#failAll(error, finished);
    }
  }

  /** Every way in which the records are not written is counted, so that the next segment tells of it. */
  async #write(chain: AuditChain, records: readonly string[]): Promise<void> {
    const counted = this.#unwritten;
    this.#unwritten += records.length;
    const unsure = chain.unsure?.count ?? 0;
    const settled = await chain.settle().catch((error: unknown) => {
      if (error instanceof ChainTakenError) this.#unwritten += unsure;
      throw error;
    });
    try {
      await chain.append([...this.#withheldNote(settled, counted), ...records]);
    } catch (error) {
      if (error instanceof ChainTakenError) throw error;
      this.#unwritten -= counted + records.length;
      throw error;
    }
    this.#unwritten -= counted + records.length;
  }

  /** Once it can be written again: what the records before say was done, and was not handed out. */
  #withheldNote(segment: number | undefined, unwritten: number): string[] {
    if (segment === undefined && unwritten === 0) return [];
    const withheld = { ...(segment === undefined ? {} : { segment }), unwritten };
    return [JSON.stringify(withheldRecord(this.#parts.now(), this.#parts.identity, withheld))];
  }

  /** A chain whose place was taken is left as it is, for the verification to find; another begins. */
  async #keepingTrack(chain: AuditChain, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof ChainTakenError && this.#chain === chain) this.#chain = undefined;
      throw error;
    }
  }

  #failAll(error: unknown, finished: readonly Waiting[]): void {
    this.#parts.onFault(error);
    const failure = error instanceof AuditUnavailableError ? error : new AuditUnavailableError(error);
    const left = this.#waiting;
    this.#waiting = [];
    for (const { records, taken } of left) this.#unwritten += records.length - taken;
    for (const each of [...finished, ...left]) each.reject(failure);
  }
}
