import { DAYS_LEFT_AT_LEAST } from './catalogue.ts';
import { shorten } from './certificates.ts';
import { check, type CheckResult } from './check.ts';

export interface FunctionCertificateFacts {
  readonly name: string;
  /** What ACM issued last. */
  readonly issuedSerial: string;
  /** What the function takes for its next connection, a minute later at the latest. */
  readonly publishedSerial: string;
  readonly daysLeft: number;
}

export interface FunctionRevocationFacts {
  readonly name: string;
  /** What is published for it is on the deny list. */
  readonly isRevoked: boolean;
}

export function checkFunctionCertificate(facts: FunctionCertificateFacts): CheckResult[] {
  const { name, issuedSerial, publishedSerial, daysLeft } = facts;
  const subject = `${name} client`;
  const isPublished = publishedSerial === issuedSerial;
  const behind = `issued ${shorten(issuedSerial)}, published ${shorten(publishedSerial)}`;
  return [
    check('certificates.published', subject, isPublished, isPublished ? shorten(issuedSerial) : behind),
    check('certificates.days-left', subject, daysLeft >= DAYS_LEFT_AT_LEAST, `${Math.floor(daysLeft)} days`),
  ];
}

export function checkFunctionRevocation({ name, isRevoked }: FunctionRevocationFacts): CheckResult {
  return check('revocation.own', name, !isRevoked, isRevoked ? 'revoked: client' : 'none');
}
