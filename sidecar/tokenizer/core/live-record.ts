import { TokenmeshError } from '../../../errors/error.ts';
import { TokenNotReplicatedError } from './errors.ts';
import { regionOf } from './formats/region.ts';
import type { RecordKey, TokenRecord } from './ports.ts';
import type { Replicas } from './replication.ts';

/** What judges a token that is not there. */
export interface MissingParts {
  readonly now: () => Date;
  readonly replicas?: Replicas;
}

/**
 * What a lookup found, if it still counts.
 *
 * Expiry is exact, whatever has or has not been swept.
 *
 * @throws {TokenmeshError} {@link missingToken} for none, and for another tenant's; `ERR_TOKEN_EXPIRED`;
 *   `ERR_TOKEN_CONSUMED`.
 */
export function liveRecord(
  parts: MissingParts,
  { token }: Pick<RecordKey, 'token'>,
  found: TokenRecord | undefined,
): TokenRecord {
  if (found === undefined) throw missingToken(parts, token);
  const now = parts.now();
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

/**
 * `ERR_TOKEN_NOT_REPLICATED` where the token names another region whose rows come here, else `ERR_TOKEN_UNKNOWN`.
 *
 * Follows from the token as it was sent and from that region's heartbeat: it tells nothing of what any table holds.
 */
export function missingToken({ replicas }: MissingParts, token: string): TokenmeshError {
  const region = regionOf(token);
  const replica = region === undefined ? undefined : replicas?.of(region);
  if (region === undefined || replica === undefined) return unknownToken();
  return new TokenNotReplicatedError(region, replica.lagSeconds);
}

function unknownToken(): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_TOKEN_UNKNOWN',
    message: 'the token is unknown: expected one of the tenant that was neither deleted nor swept',
    remedy: 'see that the token was handed out to this tenant, and not deleted since',
  });
}
