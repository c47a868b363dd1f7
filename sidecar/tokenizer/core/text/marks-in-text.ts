import { inParallel } from '../in-parallel.ts';
import { marksIn, type PlacedMark } from '../marks/mark.ts';
import { MARK_WIDTH, MarkUnopenableError, openMark, type MarkKeys } from '../marks/opening.ts';
import type { Finding, FindingClass } from './finding.ts';
import { checkFindingCount } from './limits.ts';

export interface MarkFinderOptions {
  readonly classes: ReadonlySet<FindingClass>;
  readonly keys: MarkKeys | undefined;
  readonly tenant: string;
}

/** What was encrypted at the edge, as what it is: found where its mark stands. */
export interface OpenedFinding extends Finding {
  /** The value, as it was written before it was encrypted. */
  readonly written: string;
}

/**
 * Opens the marks of the texts of one request. One that does not open is left where it is: nobody can read it
 * there either.
 *
 * @throws {KeyUnavailableError} when its key could not be had.
 */
export function createMarkFinder({
  classes,
  keys,
  tenant,
}: MarkFinderOptions): (text: string) => Promise<OpenedFinding[]> {
  let count = 0;
  return async (text) => {
    const marks = marksIn(text);
    count += marks.length;
    checkFindingCount(count, 'values');
    const opened = await inParallel(marks, MARK_WIDTH, async (mark) => await open(mark));
    return opened.filter((each) => each !== undefined);
  };

  async function open({ text, start, end }: PlacedMark): Promise<OpenedFinding | undefined> {
    try {
      const { class: name, value } = await openMark(keys, text, tenant);
      const found = [...classes].find((each) => each === name);
      return found === undefined
        ? undefined
        : { class: found, start, end, confidence: 1, value, written: value };
    } catch (error) {
      if (error instanceof MarkUnopenableError) return undefined;
      throw error;
    }
  }
}
