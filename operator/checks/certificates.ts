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
  /** Of a short-lived certificate, which its sidecar renews. */
  readonly renewal?: {
    readonly notAfter?: string;
    readonly renewAt?: string;
    readonly failures: number;
    readonly alarm: 'none' | 'overdue' | 'expired';
  };
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
    facts.renewal === undefined ? daysLeft(facts, subject) : renewsItself(facts.renewal, facts, subject),
  ];
}

function daysLeft(facts: CertificateFacts, subject: string): CheckResult {
  return check(
    {
      id: 'certificates.days-left',
      group: 'certificates',
      subject,
      sentence: `the certificate has at least ${DAYS_LEFT_AT_LEAST} days left`,
      hint: `renew it: npm run mesh -- rotate ${facts.node}; then see why the renewal function did not`,
    },
    facts.daysLeft >= DAYS_LEFT_AT_LEAST,
    `${Math.floor(facts.daysLeft)} days`,
  );
}

function renewsItself(
  renewal: NonNullable<CertificateFacts['renewal']>,
  { node, problems }: CertificateFacts,
  subject: string,
): CheckResult {
  return check(
    {
      id: 'certificates.renews-itself',
      group: 'certificates',
      subject,
      sentence: 'the certificate renews itself, with a fifth of its life or more left',
      hint: problems[0]?.remedy ?? `see the log of ${node}'s sidecar`,
    },
    renewal.alarm === 'none',
    `${renewal.alarm === 'none' ? '' : `${renewal.alarm}: `}ends ${renewal.notAfter ?? 'never issued'}, renews ${renewal.renewAt ?? 'never'}, ${renewal.failures} failed tries since`,
  );
}

export function shorten(serial: string): string {
  return `${serial.slice(0, 8)}...`;
}
