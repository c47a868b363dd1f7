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
      {
        id: 'mtls.counted',
        group: 'mtls',
        subject,
        sentence: 'a connection of our own is answered, and the listener counts its handshake',
        hint: 'see whether the listener is up: npm run mesh -- status',
      },
      answered && counted >= 1,
      answered ? `${counted} more handshakes` : `refused: ${probe.reason}`,
    ),
    check(
      {
        id: 'mtls.version',
        group: 'mtls',
        subject,
        sentence: 'every handshake of the listener is TLS 1.3',
        hint: 'set tls_minimum_protocol_version in mesh/envoy/tls-context.ts back to TLSv1_3',
      },
      Object.keys(after.versions).every((version) => version === 'TLSv1.3') && after.handshake > 0,
      Object.entries(after.versions)
        .map(([version, count]) => `${version} ${count}`)
        .join(', ') || 'none',
    ),
  ];
  if (facts.mode !== 'mtls') return [...results, oneWay(subject, after, counters)];
  return [...results, mutual(subject, after, counters), seenAsItself(subject, facts)];
}

function mutual(subject: string, after: ListenerCounters, counters: string): CheckResult {
  return check(
    {
      id: 'mtls.mutual',
      group: 'mtls',
      subject,
      sentence: 'the listener has handshakes, and none without a client certificate',
      hint: 'the listener took a connection without a certificate: see clientValidation in mesh/tokenization-mesh.ts',
    },
    after.handshake >= 1 && after.noCertificate === 0,
    counters,
  );
}

function oneWay(subject: string, after: ListenerCounters, counters: string): CheckResult {
  return check(
    {
      id: 'mtls.one-way',
      group: 'mtls',
      subject,
      sentence: 'every handshake of the listener is without a client certificate',
      hint: 'the listener asks for certificates that the definition does not: render its bootstrap again',
    },
    after.handshake >= 1 && after.noCertificate === after.handshake,
    counters,
  );
}

function seenAsItself(subject: string, facts: EdgeFacts): CheckResult {
  const { seenAs } = facts;
  return check(
    {
      id: 'mtls.identity',
      group: 'mtls',
      subject,
      sentence: "through the caller's own Envoy, the listener sees the caller's identity",
      hint: `rotate the certificate: npm run mesh -- rotate ${facts.from}`,
    },
    seenAs?.identity === facts.expectedIdentity,
    seenAs === undefined ? 'no answer' : `${seenAs.identity}, serial ${seenAs.serial.slice(0, 8)}...`,
  );
}
