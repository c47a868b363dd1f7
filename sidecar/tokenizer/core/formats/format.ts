import type { FieldClass } from '../field-class.ts';

export type FormatName =
  | 'default'
  | 'uuid'
  | 'region'
  | 'email'
  | 'pan'
  | 'pan-random'
  | 'phone'
  | 'ssn'
  | 'ssn-last-four';

/**
 * All that a token takes from the value it stands for.
 *
 * The value itself never gets as far as the making of a token: what is not in
 * here cannot be in a token, nor steer it.
 */
export interface Kept {
  readonly length?: number;
  readonly lastFour?: string;
}

export interface TokenSource {
  /** From a cryptographic source, and used for one token alone. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** Two to four capitals: the region that the format `region` names. */
  readonly regionCode?: string | undefined;
}

/** One shape of tokens: docs/token-format.md. */
export interface TokenFormat {
  readonly name: FormatName;
  /** For people. */
  readonly grammar: string;
  /** Where set, a record needs exactly one field of this class: it gives the token its shape. */
  readonly fieldClass?: FieldClass;
  /** A prefix or a domain of ours and a checksum: whatever is recognized was made as a token. */
  readonly isCertain: boolean;
  /** Whether a token can be told, off line, from a real value of the shape that it has. */
  readonly canBeToldApart: boolean;
  keptOf(value: string): Kept;
  /** How many tokens there are with this kept: all of them equally likely. */
  possibilities(kept: Kept): number;
  recognizes(text: string): boolean;
  mint(kept: Kept, source: TokenSource): string;
}

/** Fewer, and a token may be guessed, or run out: it has to be asked for, and permitted. */
export const SMALL_POSSIBILITIES = 10 ** 6;

/** With so many random bits two tokens never meet; with fewer every write asks whether the token is free. */
export const UNCONDITIONAL_BITS = 122;

export function entropyBits(format: TokenFormat, kept: Kept): number {
  return Math.log2(format.possibilities(kept));
}

export function isConditional(format: TokenFormat, kept: Kept): boolean {
  return entropyBits(format, kept) < UNCONDITIONAL_BITS;
}

export function isSmall(format: TokenFormat, kept: Kept): boolean {
  return format.possibilities(kept) < SMALL_POSSIBILITIES;
}

/** For formats that take nothing from a value. */
export function keepNothing(): Kept {
  return {};
}
