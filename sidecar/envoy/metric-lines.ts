/**
 * What Envoy counted since the last look, as a line of the log in CloudWatch's embedded metric format
 * ("Specification: embedded metric format", CloudWatch User Guide): no call of AWS, and nothing to scrape.
 *
 * @module
 */

import type { Placement } from '../../mesh/envoy/types.ts';
import { adminStats } from './admin-stats.ts';

export const METRIC_NAMESPACE = 'tokenmesh/mesh';

/** `DaysLeft` and the last two are what is so now; the others are counted since the last line. */
export type EnvoyFigure =
  | 'Handshakes'
  | 'HandshakesWithoutCertificate'
  | 'HandshakesRefused'
  | 'RequestsRefused'
  | 'DaysLeft'
  | 'RotationsUnserved'
  | 'RevocationProblems';

export type EnvoyFigures = Readonly<Partial<Record<EnvoyFigure, number>>>;

export interface Counted {
  readonly handshakes: number;
  readonly withoutCertificate: number;
  readonly refusedHandshakes: number;
  readonly refusedRequests: number;
  /** Until the first certificate ends that Envoy has, a CA's too; none where it has none. */
  readonly daysLeft?: number;
}

/** Of the listener, which is what tells: under TLS 1.3 a caller counts a handshake that the other side refuses. */
const STATS =
  '^(listener\\.inbound\\.ssl\\.|http\\.inbound\\.rbac\\.(revoked\\.)?denied$|server\\.days_until_first_cert_expiring$)';
const REFUSED_HANDSHAKES = /^listener\.inbound\.ssl\.(fail_verify_\w+|connection_error)$/;

/** What Envoy says where it has no certificate. */
const NO_CERTIFICATE = 2 ** 31 - 1;

export function countedIn(stats: ReadonlyMap<string, number>): Counted {
  const of = (name: string): number => stats.get(name) ?? 0;
  const daysLeft = stats.get('server.days_until_first_cert_expiring');
  return {
    handshakes: of('listener.inbound.ssl.handshake'),
    withoutCertificate: of('listener.inbound.ssl.no_certificate'),
    refusedHandshakes: [...stats]
      .filter(([name]) => REFUSED_HANDSHAKES.test(name))
      .reduce((sum, [, value]) => sum + value, 0),
    refusedRequests: of('http.inbound.rbac.denied') + of('http.inbound.rbac.revoked.denied'),
    ...(daysLeft === undefined || daysLeft >= NO_CERTIFICATE ? {} : { daysLeft }),
  };
}

/** What is not Envoy's to say. */
export interface Standing {
  readonly rotationsUnserved: number;
  readonly revocationProblems: number;
}

export function figuresOf(now: Counted, before: Counted, standing: Standing): EnvoyFigures {
  return {
    Handshakes: now.handshakes - before.handshakes,
    HandshakesWithoutCertificate: now.withoutCertificate - before.withoutCertificate,
    HandshakesRefused: now.refusedHandshakes - before.refusedHandshakes,
    RequestsRefused: now.refusedRequests - before.refusedRequests,
    ...(now.daysLeft === undefined ? {} : { DaysLeft: now.daysLeft }),
    RotationsUnserved: standing.rotationsUnserved,
    RevocationProblems: standing.revocationProblems,
  };
}

export function metricLine(mesh: string, node: string, now: Date, figures: EnvoyFigures): string {
  const metrics = Object.keys(figures).map((name) => ({ Name: name, Unit: 'Count' }));
  return JSON.stringify({
    _aws: {
      Timestamp: now.getTime(),
      CloudWatchMetrics: [{ Namespace: METRIC_NAMESPACE, Dimensions: [['Mesh', 'Node']], Metrics: metrics }],
    },
    Mesh: mesh,
    Node: node,
    ...figures,
  });
}

export interface MetricLinesParts {
  readonly mesh: string;
  readonly node: string;
  readonly admin: Placement['admin'];
  readonly standing: () => Standing;
  readonly clock: () => Date;
  readonly print: (line: string) => void;
  readonly sleep: () => Promise<unknown>;
  readonly stopping: AbortSignal;
}

const NOTHING: Counted = { handshakes: 0, withoutCertificate: 0, refusedHandshakes: 0, refusedRequests: 0 };

/** Prints a line after each pause. An Envoy that does not answer leaves its counters out of that line, and its peers to notice. */
export async function printMetricLines(parts: MetricLinesParts): Promise<void> {
  let before = NOTHING;
  while (!parts.stopping.aborted) {
    await parts.sleep();
    const counted = countedIn(await adminStats(parts.admin, STATS).catch(() => new Map<string, number>()));
    const now = counted.handshakes < before.handshakes ? before : counted;
    parts.print(metricLine(parts.mesh, parts.node, parts.clock(), figuresOf(now, before, parts.standing())));
    before = now;
  }
}
