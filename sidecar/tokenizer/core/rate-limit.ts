/**
 * How many items a caller may send in a time: a token bucket for each identity and operation.
 *
 * A bucket holds `burst` and fills by `perSecond`; every item takes one. It is kept by one process, so
 * where a service runs as several tasks the limit is per task.
 *
 * @module
 */

import type { Mesh, VaultOperation, VaultRate } from '../../../mesh/definition.ts';
import { vaultAccessOf } from '../../../mesh/vault-access.ts';
import { TokenmeshError } from '../../../errors/error.ts';

/** Out of the way of every honest load of one task, which the cryptography bounds well below; in the way of a loop gone wild. */
export const DEFAULT_RATE: VaultRate = { perSecond: 5_000, burst: 20_000 };

/** A node's own limits. What is not in here is {@link DEFAULT_RATE}. */
export type NodeRates = Readonly<Partial<Record<VaultOperation, VaultRate>>>;

export type RateOverrides = Readonly<Record<string, NodeRates>>;

export interface RateLimiter {
  /**
   * Takes `items` for a call, or nothing.
   *
   * A call of more items than the burst is let through by a full bucket, which then owes the rest: the
   * rate holds, and no call is refused for ever.
   *
   * @returns 0 where the call may go on, else the seconds until the same call may.
   */
  take(node: string, operation: VaultOperation, items: number): number;
  /** What `take` would answer for one item, with nothing taken. */
  waitSeconds(node: string, operation: VaultOperation): number;
  rateOf(node: string, operation: VaultOperation): VaultRate;
}

interface Bucket {
  level: number;
  at: number;
}

/** @param nowMs - Of a clock that does not go back. */
export function createRateLimiter(
  rateOf: (node: string, operation: VaultOperation) => VaultRate,
  nowMs: () => number,
): RateLimiter {
  const buckets = new Map<string, Bucket>();
  const filled = (node: string, operation: VaultOperation, rate: VaultRate): Bucket => {
    const key = `${node} ${operation}`;
    const at = nowMs();
    const bucket = buckets.get(key) ?? { level: rate.burst, at };
    const gained = (Math.max(0, at - bucket.at) / 1000) * rate.perSecond;
    bucket.level = Math.min(rate.burst, bucket.level + gained);
    bucket.at = at;
    buckets.set(key, bucket);
    return bucket;
  };
  const take = (node: string, operation: VaultOperation, wanted: number, cost: number): number => {
    const rate = rateOf(node, operation);
    const bucket = filled(node, operation, rate);
    const missing = Math.min(wanted, rate.burst) - bucket.level;
    if (missing > 0) return missing / rate.perSecond;
    bucket.level -= cost;
    return 0;
  };
  return {
    take: (node, operation, items) => take(node, operation, items, items),
    waitSeconds: (node, operation) => take(node, operation, 1, 0),
    rateOf,
  };
}

/** The rate of each node and operation: an override's, else the mesh definition's, else the default. */
export function ratesOf(
  mesh: Mesh,
  overrides: RateOverrides,
): (node: string, operation: VaultOperation) => VaultRate {
  return (node, operation) =>
    overrides[node]?.[operation] ?? vaultAccessOf(mesh, node)?.limits?.[operation] ?? DEFAULT_RATE;
}

export function rateLimited(node: string, operation: VaultOperation, rate: VaultRate): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_RATE_LIMITED',
    message: `${node} sends too many items to ${operation}: expected at most ${rate.perSecond} in a second and ${rate.burst} at once; nothing of this call was done`,
    remedy:
      'send the call again after the time in Retry-After, or ask for a higher limit in the mesh definition',
  });
}
