import { isToken } from '../token.ts';

export interface PlacedToken {
  readonly token: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Every token of ours, whatever it touches: its length is fixed and its
 * underscore stands only in its prefix, so it is found even between letters.
 */
export function tokensIn(text: string): PlacedToken[] {
  return [...text.matchAll(/tkn_[bcdfghjklmnpqrst]{40}/g)]
    .filter(({ 0: token }) => isToken(token))
    .map(({ 0: token, index: start }) => ({ token, start, end: start + token.length }));
}
