import { withoutNumbers, type AuditRecord } from './record.ts';
import { NO_ROW } from './row-digest.ts';

/** What the audit says that a row was from some record on. */
export interface RowState {
  readonly at: string;
  readonly writer: string;
  /** A digest, or {@link NO_ROW}. */
  readonly row: string;
  readonly version?: number;
  /** From then on the row may be gone by itself. */
  readonly until?: string;
  /** Told for many rows together, and so perhaps after what was done to the row next. */
  readonly isToldLate?: true;
}

/** All that the audit says of the row of one token. */
export interface RowHistory {
  /** What the row may be now: one state, or several where clocks of different tasks cannot tell which was last. */
  latest: RowState[];
  /** Digests that it had before. */
  readonly earlier: Set<string>;
  /** Whether the security code beside it was shown, and so is gone for good. */
  isCodeRead: boolean;
  /** Whether something was begun of which it is not known what came of it. */
  isUnsettled: boolean;
}

/** Clocks of two tasks may be this far apart. Of one task's records the order is that of its chain. */
const CLOCK_SKEW_MS = 2_000;

/** What these do to a row may have happened where no answer came. */
const CHANGING: ReadonlySet<string> = new Set([
  'detokenize',
  'replace',
  'delete',
  'archive',
  'restore',
  'upsert',
  'rewrap',
]);

/** What happened or not is not known: as `isOutage` says of an error. */
const UNKNOWN_OUTCOMES: ReadonlySet<string> = new Set(['begun', 'ERR_STORE_UNAVAILABLE', 'ERR_INTERNAL']);

/** Two tenants may have the same token where its format is small. No reference has a `#`. */
export function rowName(tenant: string, reference: string): string {
  return `${withoutNumbers(tenant)}#${reference}`;
}

export function referenceIn(name: string): string {
  return name.slice(name.lastIndexOf('#') + 1);
}

/**
 * What every row was last, by its name: about 400 bytes of memory for each token.
 *
 * Takes the records of each writer in the order of its chain.
 */
export class RowHistories {
  readonly #histories = new Map<string, RowHistory>();

  get size(): number {
    return this.#histories.size;
  }

  of(name: string): RowHistory | undefined {
    return this.#histories.get(name);
  }

  [Symbol.iterator](): IterableIterator<[string, RowHistory]> {
    return this.#histories.entries();
  }

  take(writer: string, record: AuditRecord): void {
    const { tenant = '', token, row } = record;
    if (token === undefined) return;
    const name = rowName(tenant, token);
    if (row !== undefined) this.#takeState(name, stateOf(writer, row, record));
    else if (CHANGING.has(record.operation) && !isAboutCode(record)) this.#takeOutcome(name, record.outcome);
    if (hasShownCode(record)) this.#historyOf(name).isCodeRead = true;
  }

  #takeState(name: string, state: RowState): void {
    const history = this.#historyOf(name);
    const ordered = history.latest.map((other) => ({ other, is: orderOf(other, state) }));
    const isLate = ordered.some(({ is }) => is === 'after');
    const kept = ordered.filter(({ is }) => is !== 'before').map(({ other }) => other);
    for (const { other, is } of ordered) if (is === 'before') history.earlier.add(other.row);
    history.latest = isLate ? kept : [...kept, state];
    if (isLate) history.earlier.add(state.row);
    history.isUnsettled = false;
  }

  #historyOf(name: string): RowHistory {
    const history = this.#histories.get(name) ?? newHistory();
    this.#histories.set(name, history);
    return history;
  }

  /** A refusal settles what was begun: nothing was changed. */
  #takeOutcome(name: string, outcome: string): void {
    const history = this.#histories.get(name);
    if (history === undefined) return;
    // Where no use of a one-time token is known yet, the answer to the first may have been lost, and the
    // use was sent again.
    const isFirstUse = outcome === 'ERR_TOKEN_CONSUMED' && history.earlier.size === 0;
    history.isUnsettled = isFirstUse || UNKNOWN_OUTCOMES.has(outcome);
  }
}

function newHistory(): RowHistory {
  return { latest: [], earlier: new Set(), isCodeRead: false, isUnsettled: false };
}

function hasShownCode({ operation, outcome, fields = [] }: AuditRecord): boolean {
  const isRead = operation === 'detokenize' && outcome === 'ok';
  return isRead && fields.some(({ class: fieldClass, form }) => fieldClass === 'cvv' && form === 'plain');
}

/** A security code that was sealed anew is no news of the record beside it. */
function isAboutCode({ operation, fields = [] }: AuditRecord): boolean {
  const isOfCode = fields.length > 0 && fields.every(({ class: fieldClass }) => fieldClass === 'cvv');
  return operation === 'rewrap' && isOfCode;
}

function stateOf(writer: string, row: string, { at, version, until, operation }: AuditRecord): RowState {
  return {
    at,
    writer,
    row,
    ...(version === undefined ? {} : { version }),
    ...(until === undefined ? {} : { until }),
    ...(operation === 'rewrap' ? { isToldLate: true } : {}),
  };
}

/** Where `other`, which was taken before, stands to `state`: of one chain, that is the order of the two. */
function orderOf(other: RowState, state: RowState): 'before' | 'after' | 'unknown' {
  if (other.version !== undefined && state.version !== undefined && other.version !== state.version) {
    return other.version < state.version ? 'before' : 'after';
  }
  const isToldInOrder = other.isToldLate !== true && state.isToldLate !== true;
  if (other.writer === state.writer && isToldInOrder) return 'before';
  const laterByMs = Date.parse(state.at) - Date.parse(other.at);
  if (Math.abs(laterByMs) <= CLOCK_SKEW_MS) return 'unknown';
  return laterByMs > 0 ? 'before' : 'after';
}

/** Whether the audit says that there is a row, and that it cannot have gone by itself yet. */
export function mustBeThere({ latest, isUnsettled }: RowHistory, now: Date): boolean {
  if (isUnsettled || latest.length === 0) return false;
  return latest.every(
    ({ row, until }) => row !== NO_ROW && (until === undefined || Date.parse(until) > now.getTime()),
  );
}
