import { setTimeout as sleep } from 'node:timers/promises';
import type {
  AuditLog,
  AuditReader,
  StoredSeal,
  StoredSegment,
} from '../../sidecar/tokenizer/core/audit/ports.ts';
import { isSealKey, sealKey, segmentKey } from '../../sidecar/tokenizer/core/audit/row-keys.ts';
import type { Seal } from '../../sidecar/tokenizer/core/audit/seal.ts';
import type { Segment } from '../../sidecar/tokenizer/core/audit/segment.ts';
import { AuditUnavailableError } from '../../sidecar/tokenizer/core/errors.ts';

export interface Row {
  readonly body: string;
  readonly hash?: string;
  readonly mac?: Uint8Array | string;
}

/** The audit's log in memory, which can be told to be slow, to be down, or to lose its answers. */
export class MemoryAuditLog implements AuditLog, AuditReader {
  /** By writer, then by sort key. */
  readonly rows = new Map<string, Map<string, Row>>();
  readonly outside = new Map<string, Seal>();
  /** Segments in the order in which they were sent. */
  readonly sent: Segment[] = [];
  /** While set, no call is answered and nothing is changed. */
  isDown = false;
  /** While set, segments are written and no answer comes. */
  isMute = false;
  appendMs = 0;

  async append(segment: Segment): Promise<'written' | 'taken'> {
    this.#answer();
    this.sent.push(segment);
    if (this.appendMs > 0) await sleep(this.appendMs);
    const outcome = this.#put(segment.writer, segmentKey(segment.sequence), segment);
    if (this.isMute) throw new AuditUnavailableError();
    return outcome;
  }

  async appendSeal(seal: Seal): Promise<'written' | 'taken'> {
    this.#answer();
    return this.#put(seal.writer, sealKey(seal.number), seal);
  }

  async keepOutside(seal: Seal): Promise<void> {
    this.#answer();
    const kept = this.outside.get(seal.writer);
    if (kept !== undefined && kept.number > seal.number) throw new AuditUnavailableError();
    this.outside.set(seal.writer, seal);
  }

  async checkReachable(): Promise<void> {
    this.#answer();
  }

  async writers(): Promise<string[]> {
    return [...new Set([...this.outside.keys(), ...this.rows.keys()])].toSorted();
  }

  async keptOutside(writer: string): Promise<StoredSeal | undefined> {
    const seal = this.outside.get(writer);
    return seal === undefined ? undefined : { sortKey: writer, body: seal.body, mac: seal.mac };
  }

  async seals(writer: string): Promise<StoredSeal[]> {
    return this.#rowsOf(writer)
      .filter(([sortKey]) => isSealKey(sortKey))
      .map(([sortKey, { body, mac }]) => ({ sortKey, body, mac: bytesOf(mac) }));
  }

  async *segments(writer: string): AsyncGenerator<StoredSegment> {
    for (const [sortKey, row] of this.#rowsOf(writer)) {
      if (!isSealKey(sortKey)) yield storedSegment(sortKey, row);
    }
  }

  async *latestSegments(writer: string): AsyncGenerator<StoredSegment> {
    for (const [sortKey, row] of this.#rowsOf(writer).toReversed()) {
      if (sortKey < 'seal#') yield storedSegment(sortKey, row);
    }
  }

  #rowsOf(writer: string): [string, Row][] {
    return [...(this.rows.get(writer) ?? [])].toSorted(([one], [other]) => (one < other ? -1 : 1));
  }

  #put(writer: string, sortKey: string, row: Row): 'written' | 'taken' {
    const rows = this.rows.get(writer) ?? new Map<string, Row>();
    this.rows.set(writer, rows);
    const there = rows.get(sortKey);
    if (there !== undefined && there.body !== row.body) return 'taken';
    rows.set(sortKey, row);
    return 'written';
  }

  #answer(): void {
    if (this.isDown) throw new AuditUnavailableError();
  }
}

function storedSegment(sortKey: string, { body, hash = '', mac }: Row): StoredSegment {
  return { sortKey, body, hash, mac: typeof mac === 'string' ? mac : '' };
}

function bytesOf(mac: Row['mac']): Uint8Array {
  return mac instanceof Uint8Array ? mac : new Uint8Array();
}
