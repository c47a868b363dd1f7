import { createSecretKey, type KeyObject } from 'node:crypto';
import { AuditUnavailableError } from '../errors.ts';
import type { AuditLog, AuditMac } from './ports.ts';
import { nextSealContent, sealBody, sealMessage, type Seal } from './seal.ts';
import { beginningOf, nextSegment, segmentKeyMessage, type Head, type Segment } from './segment.ts';

export interface ChainParts {
  /** Of this chain alone, and never used again: a writer is one start of one process. */
  readonly writer: string;
  readonly log: AuditLog;
  readonly mac: AuditMac;
  readonly now: () => Date;
}

/** Something that this writer did not write is in the place of what it writes next: the chain cannot go on. */
export class ChainTakenError extends AuditUnavailableError {}

/**
 * The chain of one writer.
 *
 * What was sent with no answer may be written or not. It is therefore sent again, unchanged, before
 * anything else takes its place, so that no failure makes a fork or a gap.
 */
export class AuditChain {
  readonly #parts: ChainParts;
  #key: KeyObject | undefined;
  #head: Head;
  #unsure: Segment | undefined;
  #seal: Seal | undefined;
  #unsureSeal: Seal | undefined;
  #keptNumber = -1;
  #sealing: Promise<void> = Promise.resolve();

  constructor(parts: ChainParts) {
    this.#parts = parts;
    this.#head = beginningOf(parts.writer);
  }

  /** The segment of which it is not known whether it is written. */
  get unsure(): Segment | undefined {
    return this.#unsure;
  }

  get unsealedSegments(): number {
    return this.#head.sequence - (this.#seal?.sequence ?? 0);
  }

  /** Whether the whole chain is sealed, and that seal kept outside. */
  get isSealed(): boolean {
    return this.#seal !== undefined && this.unsealedSegments === 0 && this.#keptNumber === this.#seal.number;
  }

  /**
   * Has the key made, and seals the beginning, once: a chain of which nothing is kept outside must
   * have no segment.
   *
   * @throws {AuditUnavailableError}
   */
  async open(): Promise<void> {
    const { mac, writer } = this.#parts;
    this.#key ??= createSecretKey(await mac.macOf(segmentKeyMessage(writer)));
    if (this.#keptNumber < 0) await this.seal();
  }

  /**
   * Sends the unsure segment again. Must come before {@link AuditChain.append}.
   *
   * @returns Its sequence, or undefined where there was none.
   * @throws {AuditUnavailableError}
   */
  async settle(): Promise<number | undefined> {
    const unsure = this.#unsure;
    if (unsure !== undefined) await this.#write(unsure);
    return unsure?.sequence;
  }

  /**
   * Must come after {@link AuditChain.open}.
   *
   * @param records - As JSON.
   * @throws {AuditUnavailableError} and the segment is unsure.
   */
  async append(records: readonly string[]): Promise<void> {
    if (this.#key === undefined) throw new AuditUnavailableError();
    await this.#write(nextSegment(this.#parts.writer, this.#key, this.#head, records));
  }

  /**
   * Seals the head as it is when this call's turn comes, and keeps the seal outside.
   *
   * @throws {AuditUnavailableError}
   */
  async seal(): Promise<void> {
    const sealed = this.#sealing.then(() => this.#sealHead());
    this.#sealing = sealed.catch(() => undefined);
    await sealed;
  }

  async #write(segment: Segment): Promise<void> {
    this.#unsure = segment;
    if ((await this.#parts.log.append(segment)) === 'taken') throw new ChainTakenError();
    this.#unsure = undefined;
    this.#head = segment;
  }

  async #sealHead(): Promise<void> {
    if (this.#unsureSeal !== undefined) await this.#writeSeal(this.#unsureSeal);
    if (this.#seal === undefined || this.unsealedSegments > 0) await this.#writeSeal(await this.#makeSeal());
    if (this.#seal === undefined || this.#keptNumber === this.#seal.number) return;
    await this.#parts.log.keepOutside(this.#seal);
    this.#keptNumber = this.#seal.number;
  }

  async #makeSeal(): Promise<Seal> {
    const { writer, mac, now } = this.#parts;
    const content = nextSealContent(writer, this.#seal, this.#head, now());
    const body = sealBody(content);
    return {
      writer,
      number: content.number,
      sequence: content.sequence,
      body,
      mac: await mac.macOf(sealMessage(body)),
    };
  }

  async #writeSeal(seal: Seal): Promise<void> {
    this.#unsureSeal = seal;
    if ((await this.#parts.log.appendSeal(seal)) === 'taken') throw new ChainTakenError();
    this.#unsureSeal = undefined;
    this.#seal = seal;
  }
}
