import type { CertificateRole } from '../../mesh/definition.ts';
import { DAYS_LEFT_AT_LEAST } from './catalogue.ts';
import { check, type CheckResult } from './check.ts';

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
  const isServed = facts.servedSerial === facts.issuedSerial;
  const served = facts.servedSerial === undefined ? 'none' : shorten(facts.servedSerial);
  return [
    check(
      'certificates.taken',
      subject,
      facts.isTaken && problem === undefined,
      problem?.message ?? (facts.isTaken ? 'taken' : 'the sidecar is not ready'),
      problem?.remedy,
    ),
    check(
      'certificates.served',
      subject,
      isServed,
      isServed ? served : `issued ${shorten(facts.issuedSerial)}, served ${served}`,
      problem?.remedy,
    ),
    facts.renewal === undefined
      ? check(
          'certificates.days-left',
          subject,
          facts.daysLeft >= DAYS_LEFT_AT_LEAST,
          `${Math.floor(facts.daysLeft)} days`,
        )
      : renewsItself(facts.renewal, subject, problem?.remedy),
  ];
}

function renewsItself(
  renewal: NonNullable<CertificateFacts['renewal']>,
  subject: string,
  hint: string | undefined,
): CheckResult {
  return check(
    'certificates.renews-itself',
    subject,
    renewal.alarm === 'none',
    `${renewal.alarm === 'none' ? '' : `${renewal.alarm}: `}ends ${renewal.notAfter ?? 'never issued'}, renews ${renewal.renewAt ?? 'never'}, ${renewal.failures} failed tries since`,
    hint,
  );
}

export function shorten(serial: string): string {
  return `${serial.slice(0, 8)}...`;
}
