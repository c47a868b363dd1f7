/**
 * List prices, for what a million tokens cost: US East (N. Virginia), USD, before any discount.
 *
 * @module
 */

export const PRICES_OF = 'US East (N. Virginia), list prices in force since November 2024';

export interface Price {
  readonly what: string;
  readonly usd: number;
  readonly for: number;
}

export const PRICES = {
  writeUnits: { what: 'DynamoDB on-demand write request units', usd: 0.625, for: 1_000_000 },
  readUnits: { what: 'DynamoDB on-demand read request units', usd: 0.125, for: 1_000_000 },
  kmsCalls: { what: 'KMS requests (symmetric keys and HMAC)', usd: 0.03, for: 10_000 },
} as const satisfies Record<string, Price>;

export function costUsd(price: Price, count: number): number {
  return (count * price.usd) / price.for;
}
