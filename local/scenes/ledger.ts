/**
 * What callers were told of each value that they sent: it is held against what is stored when a scene is over.
 *
 * @module
 */

import { cardWith } from './made-cards.ts';

/**
 * Begins every number of a scene, so that one search finds any of them; of eleven digits, so that no time, count or
 * serial holds it by chance.
 */
export const SCENE_MARK = '99994242731';

const CARD_DIGITS = 19;

/** Of 5xx, the codes that say that nothing was stored; a 4xx always does. Any other error leaves it open. */
const NOTHING_STORED: ReadonlySet<string> = new Set(['ERR_KEY_UNAVAILABLE']);

export type Told =
  | 'handed out'
  /** By an error that says that nothing was stored. */
  | 'refused'
  /** An error that leaves it open, or no answer at all. */
  | 'unsure';

/** Of one item: a token, or the status and code of its error; neither where there was no answer. */
export interface ItemAnswer {
  readonly token?: string;
  readonly status?: number;
  readonly code?: string;
}

export class Ledger {
  readonly #told = new Map<string, Told>();
  readonly #handedOut: { readonly card: string; readonly token: string }[] = [];

  /** A card that was never sent before. Until its answer is written down, nothing is known of it. */
  nextCard(): string {
    const card = cardWith(SCENE_MARK, CARD_DIGITS, this.#told.size);
    this.#told.set(card, 'unsure');
    return card;
  }

  write(card: string, { token, status = 0, code = '' }: ItemAnswer): void {
    if (token !== undefined) {
      this.#told.set(card, 'handed out');
      this.#handedOut.push({ card, token });
    } else if ((status >= 400 && status < 500) || NOTHING_STORED.has(code)) this.#told.set(card, 'refused');
  }

  told(card: string): Told | undefined {
    return this.#told.get(card);
  }

  count(outcome: Told): number {
    return [...this.#told.values()].filter((told) => told === outcome).length;
  }

  /** Each card with the token that was handed out for it, the last one last. */
  get handedOut(): readonly { readonly card: string; readonly token: string }[] {
    return this.#handedOut;
  }
}
