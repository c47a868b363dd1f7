import type { SizeName } from '../sizes.ts';

/** What a user of some size does in a month. */
export interface Usage {
  readonly size: SizeName;
  readonly what: string;
  /** Orders placed and paid: each is one token made and one revealed. */
  readonly orders: number;
  /** Tasks of each node on the average: more than the fewest, where there is a rush. */
  readonly busyShare: number;
}

export const USAGES: readonly Usage[] = [
  { size: 'small', what: '100,000 orders a month', orders: 100_000, busyShare: 0 },
  { size: 'medium', what: '5 million orders a month', orders: 5_000_000, busyShare: 0.2 },
  { size: 'large', what: '100 million orders a month', orders: 100_000_000, busyShare: 0.4 },
];

/**
 * What one order costs, in units. A record of 1 to 2 KB: two write units and its index and audit; reads of less
 * than 4 KB, strongly consistent. The order's own table: one write, two reads, two updates.
 */
export const UNITS_OF_AN_ORDER = { writes: 8, reads: 4, logBytes: 4_000, storedBytes: 4_000 } as const;

/** An order and its payment; of the card number, expiry and holder. The function has half a gigabyte for 5 ms each. */
export const EDGE_OF_AN_ORDER = { requests: 2, fields: 3, functionGigabyteSeconds: 2 * 0.5 * 0.005 } as const;

/** Its rows and their indexes. */
export const DATABASE_BYTES_OF_AN_ORDER = 1_000;

/** As the sidecars poll: certificates of two roles and two bundles each 30 s, the deny list each 5 s. */
export const SECRET_CALLS_OF_A_TASK = (30 * 86_400 * 4) / 30 + (30 * 86_400) / 5;

/** How many values a label has: of those that depend on use (from `operation` on) an estimate. */
export const VALUES_OF_A_LABEL: Readonly<Record<string, number>> = {
  role: 2,
  hierarchy: 2,
  authority: 2,
  envoy_response_code_class: 5,
  envoy_local_http_ratelimit_prefix: 2,
  operation: 4,
  outcome: 2,
  node: 2,
  code: 2,
  format: 2,
  // What is counted is a deployment in one region, which sees no other.
  region: 0,
};

/** Renewals of both certificates of a task of a week's life, at two thirds of it at the latest. */
export const SHORT_LIVED_CERTIFICATES_OF_A_TASK = (2 * 30) / 4.3;

/** Certificates that ACM renews live 395 days and are renewed 60 days before: about 0.09 a month each. */
export const RENEWALS_OF_A_CERTIFICATE = 30 / 335;
