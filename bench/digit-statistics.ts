/**
 * What is asked of tokens made of digits: that they are no card's, that no two are alike, and that
 * every free digit is as likely as any other.
 *
 * @module
 */

import creditCardType from 'credit-card-type';
import type { Kept, TokenFormat, TokenSource } from '../sidecar/tokenizer/core/formats/format.ts';
import { passesLuhn } from '../sidecar/tokenizer/core/pan.ts';

/** A position of a token, and what may stand there. */
export interface FreePart {
  readonly name: string;
  readonly at: number;
  readonly length: number;
  readonly values: readonly string[];
}

export interface NumericFormatCase {
  readonly format: TokenFormat;
  readonly kept: Kept;
  readonly freeParts: readonly FreePart[];
}

export interface ChiSquare {
  readonly name: string;
  readonly degrees: number;
  readonly value: number;
  readonly critical: number;
}

export interface FormatStatistics {
  /** Different tokens. */
  readonly made: number;
  /** Draws that gave a token which was there already: the vault's conditional write refuses them. */
  readonly redrawn: number;
  readonly passingLuhn: number;
  readonly inIssuerRange: number;
  readonly chiSquares: readonly ChiSquare[];
}

/**
 * The 1 - 10^-6 quantiles of chi-square, by degrees of freedom, rounded down: of a million fair
 * positions one is above.
 */
export const CRITICAL_VALUES: Readonly<Record<number, number>> = { 9: 44.81, 53: 116.99, 98: 179.45 };

/** Makes tokens as the vault does: one that is taken is drawn again. */
export function measureFormat(
  { format, kept, freeParts }: NumericFormatCase,
  count: number,
  source: TokenSource,
): FormatStatistics {
  const tokens = new Set<string>();
  let redrawn = 0;
  while (tokens.size < count) {
    const token = format.mint(kept, source);
    if (tokens.has(token)) redrawn += 1;
    tokens.add(token);
  }
  const all = [...tokens];
  const digits = all.map((token) => token.replaceAll(/[^0-9]/g, ''));
  return {
    made: all.length,
    redrawn,
    passingLuhn: digits.filter(passesLuhn).length,
    inIssuerRange: digits.filter(isInIssuerRange).length,
    chiSquares: freeParts.map((part) => chiSquareOf(part, all)),
  };
}

const openPrefixes = new Map<string, boolean>();

/** Asks for longer and longer beginnings: where none of a card's may begin so, no longer number is one. */
function isInIssuerRange(digits: string): boolean {
  for (let length = 1; length <= digits.length; length += 1) {
    const prefix = digits.slice(0, length);
    const isOpen = openPrefixes.get(prefix) ?? creditCardType(prefix).length > 0;
    openPrefixes.set(prefix, isOpen);
    if (!isOpen) return false;
  }
  return true;
}

function chiSquareOf({ name, at, length, values }: FreePart, tokens: readonly string[]): ChiSquare {
  const counts = new Map(values.map((value) => [value, 0]));
  for (const token of tokens) {
    const value = token.slice(at, at + length);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const expected = tokens.length / values.length;
  const value = [...counts.values()].reduce((sum, found) => sum + (found - expected) ** 2 / expected, 0);
  const degrees = values.length - 1;
  return { name, degrees, value, critical: CRITICAL_VALUES[degrees] ?? 0 };
}
