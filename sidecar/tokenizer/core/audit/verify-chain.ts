/**
 * Verifies the chain of one writer, from what was read of it: no IO, one row at a time.
 *
 * Read what is kept outside first, then the seals, then the segments, so that a writer that goes on
 * meanwhile is only ever ahead of what is compared with it.
 *
 * @module
 */

import type { KeyObject } from 'node:crypto';
import type { StoredSeal, StoredSegment } from './ports.ts';
import { sequenceOf } from './row-keys.ts';
import type { SealContent } from './seal.ts';
import { beginningOf, digestOf, readSegmentBody, segmentMac, type SegmentContent } from './segment.ts';
import { problemsOfSeals, readSeals } from './verify-seals.ts';

export type AuditProblemKind =
  | 'segment-changed'
  | 'segment-forged'
  | 'segment-moved'
  | 'segment-missing'
  | 'segment-unlinked'
  | 'segment-replaced'
  | 'tail-missing'
  | 'row-foreign'
  | 'seal-changed'
  | 'seal-missing'
  | 'seal-forged'
  | 'outside-missing'
  | 'outside-contradicts';

export interface AuditProblem {
  readonly kind: AuditProblemKind;
  readonly writer: string;
  /** Of the segment, where it is about one. */
  readonly sequence?: number;
  /** The number of the seal, where it is about one. */
  readonly seal?: number;
  /** What was expected and what was found, in one sentence. */
  readonly found: string;
}

export interface ChainFacts {
  readonly writer: string;
  /** The MAC of {@link segmentKeyMessage}. */
  readonly segmentKey: KeyObject;
  readonly outside: StoredSeal | undefined;
  readonly seals: readonly StoredSeal[];
  /** Those of {@link sealsToProve} whose MAC KMS did not make. */
  readonly forged: ReadonlySet<StoredSeal>;
}

export interface ChainReport {
  readonly writer: string;
  readonly segments: number;
  readonly records: number;
  /** Segments after the last seal: were they removed now, nothing would tell. */
  readonly unsealedSegments: number;
  readonly lastSealedAt?: string;
  readonly problems: readonly AuditProblem[];
}

/** Takes the rows of a writer that are not seals, in the order of their sort keys. */
export class ChainVerifier {
  readonly #writer: string;
  readonly #segmentKey: KeyObject;
  readonly #seals: readonly SealContent[];
  readonly #sealedHashes = new Map<number, string>();
  readonly #problems: AuditProblem[] = [];
  readonly #hasOutside: boolean;
  #expected = 1;
  /** Undefined after a row that is not what it should be: what follows it is not blamed for it. */
  #previousHash: string | undefined;
  #segments = 0;
  #records = 0;

  constructor(facts: ChainFacts) {
    this.#writer = facts.writer;
    this.#segmentKey = facts.segmentKey;
    this.#hasOutside = facts.outside !== undefined;
    this.#previousHash = beginningOf(facts.writer).hash;
    this.#seals = readSeals([...facts.seals, ...(facts.outside === undefined ? [] : [facts.outside])]);
    for (const seal of this.#seals) this.#sealedHashes.set(seal.sequence, seal.hash);
    this.#problems.push(...problemsOfSeals(facts));
  }

  take(row: StoredSegment): void {
    const sequence = sequenceOf(row.sortKey);
    if (sequence === undefined || sequence === 0) {
      this.#blame(
        'row-foreign',
        {},
        `a row under the key ${JSON.stringify(row.sortKey)}, which no writer makes`,
      );
      return;
    }
    this.#missBefore(sequence, 'segment-missing');
    this.#segments += 1;
    this.#expected = sequence + 1;
    const content = readSegmentBody(row.body);
    const problem = this.#problemOf(row, content, sequence);
    if (problem !== undefined) this.#blame(problem.kind, { sequence }, problem.found);
    this.#previousHash = problem === undefined || problem.kind === 'segment-unlinked' ? row.hash : undefined;
    this.#records += content?.records.length ?? 0;
  }

  end(): ChainReport {
    const sealed = Math.max(0, ...this.#seals.map((seal) => seal.sequence));
    this.#missBefore(sealed + 1, 'tail-missing');
    if (this.#segments > 0 && !this.#hasOutside) {
      this.#blame('outside-missing', {}, `${this.#segments} segments, and no seal kept outside the table`);
    }
    const lastSealedAt = this.#seals
      .map((seal) => seal.sealedAt)
      .toSorted()
      .at(-1);
    return {
      writer: this.#writer,
      segments: this.#segments,
      records: this.#records,
      unsealedSegments: Math.max(0, this.#expected - 1 - sealed),
      ...(lastSealedAt === undefined ? {} : { lastSealedAt }),
      problems: this.#problems,
    };
  }

  #problemOf(
    { body, hash, mac }: StoredSegment,
    content: SegmentContent | undefined,
    sequence: number,
  ): Pick<AuditProblem, 'kind' | 'found'> | undefined {
    if (digestOf(body) !== hash || content === undefined) {
      return { kind: 'segment-changed', found: 'a body that is not the one whose hash stands beside it' };
    }
    if (mac !== segmentMac(this.#segmentKey, hash) && content.writer === this.#writer) {
      return { kind: 'segment-forged', found: 'a segment that the writer did not make' };
    }
    if (content.writer !== this.#writer || content.sequence !== sequence) {
      return {
        kind: 'segment-moved',
        found: `segment ${content.sequence} of writer ${shown(content.writer)}`,
      };
    }
    const sealedHash = this.#sealedHashes.get(sequence);
    if (sealedHash !== undefined && sealedHash !== hash) {
      return { kind: 'segment-replaced', found: 'a segment other than the one that was sealed' };
    }
    if (this.#previousHash !== undefined && content.previousHash !== this.#previousHash) {
      return { kind: 'segment-unlinked', found: 'a segment that does not follow the one before it' };
    }
    return undefined;
  }

  #missBefore(sequence: number, kind: 'segment-missing' | 'tail-missing'): void {
    if (this.#expected >= sequence) return;
    const last = sequence - 1;
    const which = this.#expected === last ? `segment ${last}` : `segments ${this.#expected} to ${last}`;
    this.#blame(kind, { sequence: this.#expected }, `no ${which}`);
    this.#previousHash = undefined;
    this.#expected = sequence;
  }

  #blame(kind: AuditProblemKind, where: Pick<AuditProblem, 'sequence'>, found: string): void {
    this.#problems.push({ kind, writer: this.#writer, ...where, found });
  }
}

/** As a terminal may show it: a writer's name is letters, and whoever changed a body may have put anything there. */
function shown(writer: string): string {
  return /^[a-z]{1,64}$/.test(writer) ? writer : '[no name of a writer]';
}
