/**
 * What has to hold once a fault is over, whatever it was.
 *
 * @module
 */

import type { LeakSearch } from '../leaks.ts';
import type { Ledger } from './ledger.ts';

/** What stands behind the ledger. */
export interface Evidence {
  /** The tokens of all records that are stored. */
  storedTokens(): Promise<readonly string[]>;
  /** The card behind each token that opens. */
  open(tokens: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** For every card of the ledger, wherever one could lie. */
  search(): Promise<LeakSearch>;
}

export interface Promises {
  readonly handedOut: number;
  readonly refused: number;
  readonly unsure: number;
  /** Of the unsure ones, those that are stored under a token that nobody was given. */
  readonly storedUnsure: number;
  readonly search: LeakSearch;
  /** What does not hold; never with a card or a token. */
  readonly broken: readonly string[];
}

/**
 * Holds the ledger against the vault: every token that was handed out opens to its value, nothing is stored of which
 * the caller was told that it is not, nothing is stored that nobody sent, and nothing is plain anywhere.
 */
export async function checkPromises(ledger: Ledger, evidence: Evidence): Promise<Promises> {
  const { handedOut } = ledger;
  const given = new Set(handedOut.map(({ token }) => token));
  const others = (await evidence.storedTokens()).filter((token) => !given.has(token));
  const opened = await evidence.open([...given, ...others]);
  const unopened = handedOut.filter(({ card, token }) => opened.get(token) !== card).length;
  const ofOthers = others.map((token) => ledger.told(opened.get(token) ?? ''));
  const count = (outcome: (typeof ofOthers)[number]): number =>
    ofOthers.filter((each) => each === outcome).length;
  const search = await evidence.search();
  return {
    handedOut: handedOut.length,
    refused: ledger.count('refused'),
    unsure: ledger.count('unsure'),
    storedUnsure: count('unsure'),
    search,
    broken: [
      ...told(unopened, 'tokens that were handed out do not open to their value'),
      ...told(handedOut.length - given.size, 'tokens were handed out twice'),
      ...told(count('refused'), 'records are stored of which the caller was told that they are not'),
      ...told(count('handed out'), 'records are stored twice'),
      ...told(count(undefined), 'records are stored that nobody sent'),
      ...search.found.map((place) => `a value is plain in ${place}`),
    ],
  };
}

function told(count: number, what: string): string[] {
  return count === 0 ? [] : [`${count} ${what}`];
}
