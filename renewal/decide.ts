import { DAY_MS, daysLeft } from '../pki/certificate.ts';
import type { RenewalEvent } from './event.ts';
import type { ManagedCertificate, PublishedCertificate } from './ports.ts';

/**
 * A certificate is due for renewal when no more than this is left of it.
 *
 * ACM renews by itself from day 60 and warns from day 45: what is left at 45 days is what its own
 * renewal did not reach.
 */
export const RENEW_WITHIN_DAYS = 45;

/**
 * One that lives so short that 45 days are most of its life is due in the last third of it: otherwise
 * its successor would be due on the day it is issued, and every reconcile would renew.
 */
export const RENEW_WITHIN_LIFE_FRACTION = 1 / 3;

export interface Situation {
  readonly event: RenewalEvent;
  readonly certificate: ManagedCertificate;
  /** What the nodes read; undefined when there is nothing that they could use. */
  readonly published: PublishedCertificate | undefined;
  readonly now: Date;
}

/** What is to be done, the sentence to log (constant for each case), and what it was decided from. */
export type Decision =
  | { readonly action: 'renew' | 'export' | 'keep'; readonly sentence: string; readonly facts: Facts }
  | { readonly action: 'alarm'; readonly sentence: string; readonly remedy: string; readonly facts: Facts };

export type Facts = Readonly<Record<string, unknown>>;

/**
 * Decides what to do about one certificate, without doing it.
 *
 * Judges by what is there now; the event is only the occasion. So an event that comes twice, late or out
 * of order leads to the decision that is right for the state it finds, never to a second renewal.
 *
 * @returns `export` when the authority is ahead of what is published, `renew` when a successor is due or
 *   wanted, `alarm` when only a person can help, else `keep`.
 * @throws Never. An expired certificate is a decision, not an error.
 */
export function decide(situation: Situation): Decision {
  const { event, certificate, now } = situation;
  const facts = factsOf(situation);
  if (event.kind === 'available' && event.action !== 'RENEWAL') {
    return { action: 'keep', sentence: 'the event is not about a renewal', facts };
  }
  if (certificate.status === 'PENDING_VALIDATION') {
    return { action: 'keep', sentence: 'the certificate is not issued yet', facts };
  }
  if (!isIssued(certificate)) return alarm('the certificate cannot be used', REQUEST_ANEW, facts);
  if (now >= certificate.notAfter) return alarm('the certificate has expired', REQUEST_ANEW, facts);
  return decideForIssued({ ...situation, certificate }, facts);
}

type IssuedCertificate = ManagedCertificate &
  Required<Pick<ManagedCertificate, 'serial' | 'notBefore' | 'notAfter'>>;

type IssuedSituation = Situation & { readonly certificate: IssuedCertificate };

function isIssued(certificate: ManagedCertificate): certificate is IssuedCertificate {
  const { status, serial, notBefore, notAfter } = certificate;
  return status === 'ISSUED' && serial !== undefined && notBefore !== undefined && notAfter !== undefined;
}

function decideForIssued(situation: IssuedSituation, facts: Facts): Decision {
  const { event } = situation;
  switch (event.kind) {
    case 'reconcile':
      return decideAtReconcile(situation, facts);
    case 'approaching-expiration':
      if (isAhead(situation)) return catchUp(situation, facts);
      return isApproaching(situation, event.daysToExpiry)
        ? { action: 'renew', sentence: 'the certificate approaches its end', facts }
        : { action: 'keep', sentence: 'the event is about a certificate that has been renewed since', facts };
    case 'renewal-action-required':
      if (event.daysToExpiry !== undefined && !isApproaching(situation, event.daysToExpiry)) {
        return catchUp(situation, facts);
      }
      return alarm('the certificate was not renewed and waits for a person', LOOK_AT_REASON, facts);
    case 'rotation-requested':
      return isRotated(situation, event)
        ? catchUp(situation, facts)
        : { action: 'renew', sentence: 'an operator wants a successor', facts };
    case 'available':
    case 'expired':
      return catchUp(situation, facts);
  }
}

function decideAtReconcile(situation: IssuedSituation, facts: Facts): Decision {
  if (isAhead(situation)) return catchUp(situation, facts);
  if (isDue(situation)) return { action: 'renew', sentence: 'the certificate approaches its end', facts };
  if (situation.certificate.renewal?.status === 'FAILED') {
    return alarm('the last renewal of the certificate failed', LOOK_AT_REASON, facts);
  }
  return catchUp(situation, facts);
}

function catchUp(situation: IssuedSituation, facts: Facts): Decision {
  return isAhead(situation)
    ? { action: 'export', sentence: 'the authority is ahead of what is published', facts }
    : { action: 'keep', sentence: 'what is published is what the authority has', facts };
}

function isAhead({ certificate, published }: IssuedSituation): boolean {
  return published?.serial !== certificate.serial;
}

function isDue({ certificate, now }: IssuedSituation): boolean {
  const lifeDays = (certificate.notAfter.getTime() - certificate.notBefore.getTime()) / DAY_MS;
  return daysLeft(certificate, now) <= Math.min(RENEW_WITHIN_DAYS, lifeDays * RENEW_WITHIN_LIFE_FRACTION);
}

/** Whether the certificate is as near its end as the event claims, give or take the day the event travelled. */
function isApproaching(situation: IssuedSituation, daysToExpiry: number | undefined): boolean {
  if (daysToExpiry === undefined) return isDue(situation);
  return daysLeft(situation.certificate, situation.now) <= daysToExpiry + 1;
}

/** Whether the certificate has been renewed since the operator asked: by serial where the request names one. */
function isRotated(
  { certificate }: IssuedSituation,
  request: Extract<RenewalEvent, { kind: 'rotation-requested' }>,
): boolean {
  if (request.expectedSerial !== undefined) return certificate.serial !== request.expectedSerial;
  const { status, updatedAt } = certificate.renewal ?? {};
  if (status !== 'SUCCESS' || updatedAt === undefined || request.requestedAt === undefined) return false;
  return updatedAt > request.requestedAt;
}

const REQUEST_ANEW =
  'request a new certificate with the same name and tags, and delete this one: ACM renews only what is issued';

const LOOK_AT_REASON =
  'correct what the renewal status reason names, then ask again: npm run mesh -- rotate <node>';

function alarm(sentence: string, remedy: string, facts: Facts): Decision {
  return { action: 'alarm', sentence, remedy, facts };
}

function factsOf({ event: { kind, ...said }, certificate, published, now }: Situation): Facts {
  const { status, serial, notAfter } = certificate;
  return {
    event: kind,
    ...said,
    status,
    serial,
    publishedSerial: published?.serial,
    daysLeft: notAfter === undefined ? undefined : daysLeft({ notAfter }, now),
    renewalStatus: certificate.renewal?.status,
    renewalReason: certificate.renewal?.reason,
  };
}
