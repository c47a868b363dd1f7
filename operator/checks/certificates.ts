import type { CertificateRole } from '../../mesh/definition.ts';
import { check, type CheckResult } from './check.ts';

/** Renewal starts at 45 days at the latest: fewer than this means that it failed for two weeks. */
const DAYS_LEFT_AT_LEAST = 30;

export interface CertificateFacts {
  readonly node: string;
  readonly role: CertificateRole;
  /** What ACM issued last. */
  readonly issuedSerial: string;
  readonly daysLeft: number;
  /** What a new connection shows: to the operator for a listener, to the peer for a caller. */
  readonly servedSerial: string | undefined;
  /** The sidecar says that its newest certificates are in use. */
  readonly isTaken: boolean;
  /** What the sidecar has against what was published, this certificate or the trust of its hierarchy. */
  readonly problems: readonly { readonly message: string; readonly remedy: string }[];
}

export function checkCertificate(facts: CertificateFacts): CheckResult[] {
  const subject = `${facts.node} ${facts.role}`;
  const problem = facts.problems[0];
  return [
    check(
      {
        id: 'certificates.taken',
        group: 'certificates',
        subject,
        sentence: 'the sidecar has taken what was published last, certificate and trust',
        hint: problem?.remedy ?? `see the log of ${facts.node}'s sidecar`,
      },
      facts.isTaken && problem === undefined,
      problem?.message ?? (facts.isTaken ? 'taken' : 'the sidecar is not ready'),
    ),
    check(
      {
        id: 'certificates.served',
        group: 'certificates',
        subject,
        sentence: 'the serial served is the serial issued',
        hint: problem === undefined ? `rotate it: npm run mesh -- rotate ${facts.node}` : problem.remedy,
      },
      facts.servedSerial === facts.issuedSerial,
      facts.servedSerial === facts.issuedSerial
        ? shorten(facts.issuedSerial)
        : `issued ${shorten(facts.issuedSerial)}, served ${facts.servedSerial === undefined ? 'none' : shorten(facts.servedSerial)}`,
    ),
    check(
      {
        id: 'certificates.days-left',
        group: 'certificates',
        subject,
        sentence: `the certificate has at least ${DAYS_LEFT_AT_LEAST} days left`,
        hint: `renew it: npm run mesh -- rotate ${facts.node}; then see why the renewal function did not`,
      },
      facts.daysLeft >= DAYS_LEFT_AT_LEAST,
      `${Math.floor(facts.daysLeft)} days`,
    ),
  ];
}

export function shorten(serial: string): string {
  return `${serial.slice(0, 8)}...`;
}
