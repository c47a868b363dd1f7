/**
 * Looks through a stream of any length for card numbers, in memory that does not grow with it.
 *
 * @module
 */

import { findCardNumbers, LONGEST_LOOK, type FoundCard } from './card-numbers.ts';

/** What is kept of the text before, so that the start of a group of digits, or of a token, is seen. */
const LOOK_BACK = 2 * LONGEST_LOOK;

export interface Finding extends FoundCard {
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
}

export interface ScanOptions {
  readonly onFinding: (finding: Finding) => void;
  readonly onProgress?: (bytes: number) => void;
}

/**
 * @param chunks - Bytes of text in UTF-8 or any code that has ASCII's digits in one byte each; of a
 *   binary file, whatever text is in it.
 * @returns How many findings there were.
 */
export async function scanStream(chunks: AsyncIterable<Uint8Array>, options: ScanOptions): Promise<number> {
  const window = new Window(options.onFinding);
  let bytes = 0;
  for await (const chunk of chunks) {
    window.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1'));
    bytes += chunk.byteLength;
    options.onProgress?.(bytes);
  }
  window.finish();
  return window.findings;
}

/** The part of the stream that is looked at: one character a byte. */
class Window {
  findings = 0;
  readonly #onFinding: (finding: Finding) => void;
  #text = '';
  /** How much of the text was searched already: a find that starts before is not new. */
  #searched = 0;
  #line = 1;
  #column = 1;

  constructor(onFinding: (finding: Finding) => void) {
    this.#onFinding = onFinding;
  }

  push(more: string): void {
    this.#text += more;
    this.#searchUpTo(this.#text.length - LONGEST_LOOK);
    const start = Math.max(0, this.#searched - LOOK_BACK);
    this.#text = this.#text.slice(start);
    this.#searched -= start;
  }

  finish(): void {
    this.#searchUpTo(this.#text.length);
  }

  /** Finds what starts before `end`; what starts later may go on in what is still to come. */
  #searchUpTo(end: number): void {
    if (end <= this.#searched) return;
    let at = this.#searched;
    for (const card of findCardNumbers(this.#text, this.#searched)) {
      if (card.start >= end) break;
      this.#advance(this.#text.slice(at, card.start));
      this.#onFinding({ ...card, line: this.#line, column: this.#column });
      this.findings += 1;
      this.#advance(this.#text.slice(card.start, card.end));
      at = card.end;
    }
    if (at < end) this.#advance(this.#text.slice(at, end));
    this.#searched = Math.max(at, end);
  }

  /** A byte that goes on with a character of UTF-8 (10xxxxxx) is no column of its own. */
  #advance(text: string): void {
    const lineStart = text.lastIndexOf('\n') + 1;
    if (lineStart > 0) {
      this.#line += text.split('\n').length - 1;
      this.#column = 1;
    }
    this.#column += text.slice(lineStart).replaceAll(/[\x80-\xbf]/g, '').length;
  }
}
