import { TokenmeshError } from '../../../errors/error.ts';
import type { TokenRecord } from './ports.ts';

/**
 * What a lookup found, if it still counts.
 *
 * @param now - Passed in: expiry is exact, whatever has or has not been swept.
 * @throws {TokenmeshError} `ERR_TOKEN_UNKNOWN` for none, and for another tenant's; `ERR_TOKEN_EXPIRED`;
 *   `ERR_TOKEN_CONSUMED`.
 */
export function liveRecord(found: TokenRecord | undefined, now: Date): TokenRecord {
  if (found === undefined) throw unknownToken();
  if (found.consumedAt !== undefined) throw consumedOrSwept(found, now);
  if (found.expiresAt !== undefined && now >= found.expiresAt) {
    throw new TokenmeshError({
      code: 'ERR_TOKEN_EXPIRED',
      message: `the token has expired: expected a request before ${found.expiresAt.toISOString()}`,
      remedy: 'tokenize the value again, with a longer ttlSeconds if need be',
    });
  }
  return found;
}

/** @throws {TokenmeshError} `ERR_TOKEN_ARCHIVED` */
export function requireUnarchived({ archivedAt }: TokenRecord): void {
  if (archivedAt === undefined) return;
  throw new TokenmeshError({
    code: 'ERR_TOKEN_ARCHIVED',
    message: `the token is archived: expected one that is in use, got one that is not since ${archivedAt.toISOString()}`,
    remedy: 'have it restored: POST /v1/tokens/{token}/restore',
  });
}

/** @throws {TokenmeshError} `ERR_TOKEN_ONE_WAY` */
export function requireValue({ kind }: TokenRecord): void {
  if (kind !== 'one-way') return;
  throw new TokenmeshError({
    code: 'ERR_TOKEN_ONE_WAY',
    message: 'the token leads to no value: expected a token of another kind, got one of the kind "one-way"',
    remedy: 'compare the token itself; whoever needs the value must tokenize it under another kind',
  });
}

/** A tombstone that has had its time is as good as swept. */
function consumedOrSwept({ expiresAt }: TokenRecord, now: Date): TokenmeshError {
  return expiresAt !== undefined && now >= expiresAt ? unknownToken() : consumedToken();
}

export function consumedToken(): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_TOKEN_CONSUMED',
    message: 'the one-time token was used: expected its first use, got another',
    remedy: 'tokenize the value again; if nobody here used the token, tell the operator: somebody else did',
  });
}

export function unknownToken(): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_TOKEN_UNKNOWN',
    message: 'the token is unknown: expected one of the tenant that was neither deleted nor swept',
    remedy: 'see that the token was handed out to this tenant, and not deleted since',
  });
}
