/**
 * What the page is told, as plain data: names, counts and times, and never a value, a token or a key.
 *
 * Read by the page as types alone; nothing of the operator's is loaded by a browser.
 *
 * @module
 */

import type { CertificateRole, EdgeMode } from '../../mesh/definition.ts';
import type { CheckResult } from '../checks/check.ts';

/** Everything but the checks; sent every other second. */
export interface Snapshot {
  readonly mesh: string;
  /** ISO 8601, as all times here. */
  readonly at: string;
  readonly startedAt: string;
  readonly nodes: readonly ShownNode[];
  readonly edges: readonly ShownEdge[];
  readonly certificates: readonly ShownCertificate[];
  /** Every certificate that an Envoy took, the first of the run among them; the newest last. */
  readonly rotations: readonly ShownRotation[];
  readonly load: readonly LoadPoint[];
  readonly refusals: ShownRefusals;
  /** The newest first. */
  readonly audit: readonly ShownRecord[];
  /** What could not be asked, a line each. */
  readonly problems: readonly string[];
}

export interface ShownNode {
  readonly name: string;
  readonly kind: 'gateway' | 'node' | 'external' | 'outside';
  /** Undefined for what is not ours to ask. */
  readonly isReady?: boolean;
}

export interface ShownEdge {
  readonly from: string;
  readonly to: string;
  readonly mode: EdgeMode;
  readonly tls: string;
  readonly requestsPerSecond: number | undefined;
  readonly isFailing: boolean;
  readonly requests: number | undefined;
  readonly denied: number;
  readonly failed: number;
  readonly handshakes: number;
  readonly handshakesFailed: number;
  /** Of the listener, over all its callers. */
  readonly noCertificate: number | undefined;
  readonly listenerHandshakes: number | undefined;
  readonly listenerRefused: number | undefined;
}

export interface ShownCertificate {
  readonly node: string;
  readonly role: CertificateRole;
  readonly serial: string;
  readonly endsAt: string | undefined;
  readonly daysLeft: number | undefined;
  /** A handshake of the sidecar's own showed it. */
  readonly isServed: boolean;
  readonly problems: readonly string[];
}

export interface ShownRotation {
  readonly at: string;
  readonly node: string;
  readonly role: CertificateRole;
  readonly serial: string;
  /** From the swap until a handshake showed it; undefined until one did. */
  readonly servedAfterMs: number | undefined;
  /** The one that the node started with. */
  readonly isFirst: boolean;
}

/** The tokenizer, over the time since the point before. */
export interface LoadPoint {
  readonly atSeconds: number;
  readonly tokenizedPerSecond: number;
  readonly detokenizedPerSecond: number;
  /** Estimated from the histogram, over the last ten seconds; null where nothing was asked. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

export interface ShownRefusals {
  /** By Envoys and by the tokenizer, since the run began. */
  readonly counts: readonly RefusalCount[];
  /** The newest first. */
  readonly recent: readonly ShownRefusal[];
}

export interface RefusalCount {
  readonly by: string;
  readonly node: string;
  readonly operation: string;
  readonly reason: string;
  readonly count: number;
}

export interface ShownRefusal {
  readonly at: string;
  readonly node: string;
  readonly peer: string;
  readonly operation: string;
  readonly status: number;
  readonly reason: string;
}

export interface ShownRecord {
  readonly at: string;
  readonly identity: string;
  readonly operation: string;
  readonly outcome: string;
  readonly tenant: string;
  readonly purpose: string;
  readonly fields: string;
  readonly policies: readonly string[];
}

/** The checks of `mesh verify`, as it makes them; sent when they have been made again. */
export interface ShownChecks {
  readonly at: string;
  readonly tookMs: number;
  readonly checks: readonly CheckResult[];
}
