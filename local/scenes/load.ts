/**
 * What goes on while something is broken: values are tokenized one by one and in batches, and tokens are opened.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Callers } from './callers.ts';
import type { ItemAnswer, Ledger } from './ledger.ts';

const BATCH = 5;
const PAUSE_MS = 200;
/** After an error: a caller that does not wait makes an outage worse. */
const PAUSE_AFTER_ERROR_MS = 100;

/** The answers of a load, counted. */
export class Answers {
  readonly #counts = new Map<string, number>();
  longestMs = 0;
  /** 503 without a time to try again after. */
  unguided = 0;
  /** Values that came back as another. */
  wrong = 0;

  add({ status, code, hasRetryAfter, durationMs }: Answer): void {
    this.#count(nameOf({ status, ...(code === undefined ? {} : { code }) }));
    this.longestMs = Math.max(this.longestMs, durationMs);
    if (status === 503 && !hasRetryAfter) this.unguided += 1;
  }

  /** Of items in a batch that was answered, those that failed. */
  addItems(items: readonly ItemAnswer[]): void {
    for (const item of items) if (item.token === undefined) this.#count(`item ${nameOf(item)}`);
  }

  #count(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  get names(): string[] {
    return [...this.#counts.keys()];
  }

  count(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** Items that failed beside. */
  get total(): number {
    return [...this.#counts.values()].reduce((total, count) => total + count, 0);
  }

  toString(): string {
    return [...this.#counts].map(([name, count]) => `${count} x ${name}`).join(', ');
  }
}

/** `answered`, `503 ERR_STORE_UNAVAILABLE`, `no answer`. */
function nameOf({ status = 0, code }: ItemAnswer): string {
  if (status === 0) return 'no answer';
  return status < 400 ? 'answered' : [status, code].join(' ').trim();
}

/**
 * Sends and asks until `work` has ended. Every answer is written into the ledger.
 *
 * @param further - What else is done again and again meanwhile.
 */
export async function loadWhile<Result>(
  callers: Callers,
  ledger: Ledger,
  work: () => Promise<Result>,
  further: readonly (() => Promise<Answer>)[] = [],
): Promise<{ result: Result; answers: Answers }> {
  const answers = new Answers();
  answers.add(await tokenizeOne(callers, ledger));
  const ended = new AbortController();
  const working = work().finally(() => ended.abort());
  const repeat = async (step: () => Promise<Answer>): Promise<void> => {
    while (!ended.signal.aborted) {
      const answer = await step();
      answers.add(answer);
      await sleep(answer.status >= 200 && answer.status < 300 ? PAUSE_MS : PAUSE_AFTER_ERROR_MS);
    }
  };
  const single = async (): Promise<Answer> => await tokenizeOne(callers, ledger);
  await Promise.all([
    ...[single, single, ...further].map(repeat),
    repeat(async () => await tokenizeBatch(callers, ledger, answers)),
    repeat(async () => await openSome(callers, ledger, answers)),
    working.catch(() => {}),
  ]);
  return { result: await working, answers };
}

export async function tokenizeOne(callers: Callers, ledger: Ledger): Promise<Answer> {
  const card = ledger.nextCard();
  const { answer, item } = await callers.tokenize(card);
  ledger.write(card, item);
  return answer;
}

async function tokenizeBatch(callers: Callers, ledger: Ledger, answers: Answers): Promise<Answer> {
  const cards = Array.from({ length: BATCH }, () => ledger.nextCard());
  const { answer, items } = await callers.tokenizeBatch(cards);
  for (const [index, card] of cards.entries()) ledger.write(card, items[index] ?? {});
  if (answer.status === 200) answers.addItems(items);
  return answer;
}

/** Some of those that were handed out last. */
async function openSome(callers: Callers, ledger: Ledger, answers: Answers): Promise<Answer> {
  const asked = ledger.handedOut.slice(-BATCH);
  const { answer, cards } = await callers.detokenizeBatch(asked.map(({ token }) => token));
  answers.wrong += asked.filter(
    ({ card }, index) => cards[index] !== undefined && cards[index] !== card,
  ).length;
  return answer;
}
