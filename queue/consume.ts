import { TokenmeshError } from '../errors/error.ts';
import type { Part } from './part.ts';
import type { BulkAnswer, BulkTokenizer, PartOpener, ResultStore } from './ports.ts';
import type { ResultLine } from './results.ts';

export interface ConsumePorts {
  readonly opener: PartOpener;
  readonly tokenizer: BulkTokenizer;
  readonly results: ResultStore;
}

/** What became of one message; nothing of it says what was in a record. */
export interface Consumed {
  readonly load: string;
  readonly part: number;
  readonly records: number;
  /** Those that the tokenizer does not take. They are told in the results, and not tried again. */
  readonly refused: number;
  /** `already`: its results were there, so nothing was tokenized. */
  readonly outcome: 'tokenized' | 'already';
}

/**
 * Tokenizes the records of one message and writes their tokens down.
 *
 * Done twice, also at once, it makes each token once: the tokenizer is asked under a key that is the part's
 * own, and for as long as the results are kept nobody is asked at all. A record that the tokenizer refuses for
 * what is in it is a line of the results. Where anything may succeed later the whole part fails: the next time
 * the records that have their tokens get the same ones.
 *
 * @throws {TokenmeshError} what failed; the message has to come again.
 */
export async function consumePart(sealed: string, ports: ConsumePorts): Promise<Consumed> {
  const part = await ports.opener.open(sealed);
  const facts = { load: part.load, part: part.part, records: part.items.length };
  if (await ports.results.has(part)) return { ...facts, refused: 0, outcome: 'already' };
  const answers = await ports.tokenizer.tokenize(part.items, `${part.load}.${part.part}`);
  const lines = linesOf(answers, part);
  const outcome = (await ports.results.insert(part, lines)) === 'stored' ? 'tokenized' : 'already';
  return { ...facts, refused: lines.filter((line) => 'code' in line).length, outcome };
}

function linesOf(answers: readonly BulkAnswer[], { firstRow }: Part): ResultLine[] {
  const waiting = answers.flatMap((answer) => ('later' in answer ? [answer.later] : []));
  if (waiting.length > 0) throw unfinished(waiting, answers.length);
  return answers.flatMap((answer, index): ResultLine[] => {
    const row = firstRow + index;
    if ('token' in answer) return [{ row, token: answer.token }];
    return 'refused' in answer ? [{ row, ...answer.refused }] : [];
  });
}

function unfinished(codes: readonly string[], records: number): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_PART_UNFINISHED',
    message: `a part is not finished: expected a token for each of its ${records} records, got ${codes[0]} for ${codes.length}`,
    remedy: 'nothing is lost: the message comes again, and records that have a token keep it',
  });
}
