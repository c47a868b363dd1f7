import type { EdgeMode } from '../../mesh/definition.ts';
import type { ListenerCounters, ProbeOutcome } from './seen.ts';
import { check, type CheckResult } from './check.ts';

/** What was seen of one edge. */
export interface EdgeFacts {
  readonly from: string;
  readonly to: string;
  readonly mode: EdgeMode;
  /** A connection of the operator's own, with the caller's certificate where the edge is mutual. */
  readonly probe: ProbeOutcome;
  /** The listener's counters before the operator's connection, and after. */
  readonly before: ListenerCounters;
  readonly after: ListenerCounters;
  /** Who the listener says the caller is, asked through the caller's own Envoy. */
  readonly seenAs?: undefined | { readonly identity: string; readonly serial: string };
  readonly expectedIdentity: string;
}

/**
 * Judges an edge by its listener's counters: a mutual edge has handshakes and none without a
 * certificate; on a one-way edge the two counts are equal.
 */
export function checkEdge(facts: EdgeFacts): CheckResult[] {
  const subject = `${facts.from} -> ${facts.to}`;
  const { before, after, probe } = facts;
  const counted = after.handshake - before.handshake;
  const counters = `handshake ${after.handshake}, no_certificate ${after.noCertificate}`;
  const answered = probe.outcome === 'answered';
  const results = [
    check(
      'mtls.counted',
      subject,
      answered && counted >= 1,
      answered ? `${counted} more handshakes` : `refused: ${probe.reason}`,
    ),
    check(
      'mtls.version',
      subject,
      Object.keys(after.versions).every((version) => version === 'TLSv1.3') && after.handshake > 0,
      Object.entries(after.versions)
        .map(([version, count]) => `${version} ${count}`)
        .join(', ') || 'none',
    ),
  ];
  const { handshake, noCertificate } = after;
  if (facts.mode !== 'mtls') {
    const oneWay = handshake >= 1 && noCertificate === handshake;
    return [...results, check('mtls.one-way', subject, oneWay, counters)];
  }
  const mutual = handshake >= 1 && noCertificate === 0;
  return [...results, check('mtls.mutual', subject, mutual, counters), seenAsItself(subject, facts)];
}

function seenAsItself(subject: string, { seenAs, expectedIdentity }: EdgeFacts): CheckResult {
  return check(
    'mtls.identity',
    subject,
    seenAs?.identity === expectedIdentity,
    seenAs === undefined ? 'no answer' : `${seenAs.identity}, serial ${seenAs.serial.slice(0, 8)}...`,
  );
}
