import { TokenmeshError } from '../../../../errors/error.ts';
import type { CertificateRole } from '../../../../mesh/definition.ts';
import { ABANDON_AFTER_MS, ALARM_AT_REMAINING_FRACTION, SLOW_AFTER_MS } from './plan.ts';

/** The CA has taken the order, and takes its time. */
export function slowToIssue(role: CertificateRole): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_ISSUE_SLOW',
    message: `the CA has not signed the ${role} certificate yet: expected it within ${SLOW_AFTER_MS / 1000} s`,
    remedy: `nothing yet: it is asked for again and again, and ordered anew after ${ABANDON_AFTER_MS / 60_000} minutes; if that goes on, see the health of AWS Private CA`,
  });
}

/** What keeps a first certificate from being there. */
export function noneYet(role: CertificateRole, untilMs: number): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_ISSUE_WAITING',
    message: `the ${role} certificate is asked for at ${new Date(untilMs).toISOString()}: the share of this task in the CA's quota is used up until then`,
    remedy: 'wait; if it is long, correct tasksAtMost in the definition of the mesh',
  });
}

/** The alarm: the same cause, and how long there is left to do something about it. */
export function renewalOverdue(
  role: CertificateRole,
  notAfterMs: number,
  isExpired: boolean,
  cause: TokenmeshError | undefined,
): TokenmeshError {
  const end = new Date(notAfterMs).toISOString();
  const left = `less than ${ALARM_AT_REMAINING_FRACTION * 100} % of its life left`;
  return new TokenmeshError({
    code: isExpired ? 'ERR_RENEWAL_EXPIRED' : 'ERR_RENEWAL_OVERDUE',
    message: `the ${role} certificate ${isExpired ? `has expired, at ${end},` : `expires at ${end}, has ${left}`} and is not renewed: ${cause?.message ?? 'its order is under way'}`,
    remedy: cause?.remedy ?? "wait for the CA's answer",
    cause,
  });
}
