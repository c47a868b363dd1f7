/** Why rows were left as they are. */
export const LEFT_KINDS = ['unopenable', 'shredded', 'unreadable'] as const;
export type LeftKind = (typeof LEFT_KINDS)[number];

export interface LeftRows {
  readonly count: number;
  /** The audit's references to the tokens of the first of them: `audit find` and `audit tail` show the same. */
  readonly references: readonly string[];
}

/** How far sealing anew is, as everybody may see. */
export interface RewrapProgress {
  /** {@link RewrapAsk.id} */
  readonly ask: string;
  readonly cursor?: string;
  /** Whether writing may have begun in the page after the cursor, without the audit knowing what came of it. */
  readonly isPageBegun: boolean;
  /** Rows of the tenant that were looked at. */
  readonly rows: number;
  /** Records and security codes that were sealed anew. */
  readonly records: number;
  readonly codes: number;
  /** Under the newest version already, or with nothing sealed in them. */
  readonly current: number;
  /** Left to be swept. */
  readonly expired: number;
  /** Somebody else changed them meanwhile. */
  readonly overtaken: number;
  readonly left: Readonly<Record<LeftKind, LeftRows>>;
  readonly isDone: boolean;
}

export function rewrapJob(tenant: string): string {
  return `rewrap#${tenant}`;
}

/** References that are named, of each kind; the audit has them all. */
export const NAMED_AT_MOST = 20;

const NONE: LeftRows = { count: 0, references: [] };

/** What was saved for another ask is done with. */
export function progressIn(saved: string | undefined, ask: string): RewrapProgress {
  const found = saved === undefined ? undefined : (JSON.parse(saved) as RewrapProgress);
  if (found?.ask === ask) return found;
  return {
    ask,
    isPageBegun: false,
    rows: 0,
    records: 0,
    codes: 0,
    current: 0,
    expired: 0,
    overtaken: 0,
    left: { unopenable: NONE, shredded: NONE, unreadable: NONE },
    isDone: false,
  };
}

export function withLeft({ count, references }: LeftRows, more: readonly string[]): LeftRows {
  return { count: count + more.length, references: [...references, ...more].slice(0, NAMED_AT_MOST) };
}
