import { isToken } from '../token.ts';

export interface PlacedToken {
  readonly token: string;
  readonly start: number;
  readonly end: number;
}

/** The formats that are known for ours by a prefix or a domain; a bare UUID may be anybody's. */
const MARKED =
  /tkn_[bcdfghjklmnpqrst]{40}|TKN-[A-Z]{2,4}-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[bcdfghjklmnpqrst]{40}@tokens\.invalid/g;

/**
 * Every token of ours that is one for certain, whatever it touches: its length is fixed, and its
 * checksum holds. Tokens that look like somebody else's UUID or number are left as they are.
 */
export function tokensIn(text: string): PlacedToken[] {
  return [...text.matchAll(MARKED)]
    .filter(({ 0: token }) => isToken(token)?.certain === true)
    .map(({ 0: token, index: start }) => ({ token, start, end: start + token.length }));
}
