import { TokenmeshError } from '../errors/error.ts';
import type { ManagedCertificate } from './ports.ts';

/** What to do about the reasons ACM gives for a private certificate (`FailureReason` in its API). */
const REMEDIES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    PCA_ACCESS_DENIED:
      'give acm.amazonaws.com the permission to issue from the subordinate CA (CreatePermission), then rotate again',
    PCA_INVALID_STATE: 'bring the subordinate CA to ACTIVE, then rotate again',
    PCA_LIMIT_EXCEEDED: 'wait, or ask for a higher quota of AWS Private CA, then rotate again',
    PCA_INVALID_DURATION:
      'renew the subordinate CA, which ends before the certificate would, then rotate again',
    PCA_INVALID_ARGS: 'check that the CA may issue this subject and key algorithm, then rotate again',
    PCA_RESOURCE_NOT_FOUND: 'restore the subordinate CA, or request a new certificate from another',
    PCA_NAME_CONSTRAINTS_VALIDATION: 'request a certificate for a name that the CA is permitted to issue',
    SLR_NOT_FOUND: 'create the service-linked role of ACM in this account, then rotate again',
  }),
);

export function renewalFailed(certificate: ManagedCertificate): TokenmeshError {
  const reason = certificate.renewal?.reason;
  return new TokenmeshError({
    code: 'ERR_RENEWAL_FAILED',
    message: `renewal of ${certificate.certificateArn} failed: expected a successor, got ${reason ?? 'no reason'}`,
    remedy:
      REMEDIES.get(reason ?? '') ??
      'look the reason up in the API reference of ACM (FailureReason), then rotate again',
  });
}

export function renewalNotFinished(certificate: ManagedCertificate, waitedSeconds: number): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_RENEWAL_NOT_FINISHED',
    message: `renewal of ${certificate.certificateArn} is not finished: expected a successor of ${certificate.serial} within ${waitedSeconds} s, got status ${certificate.status}, renewal ${certificate.renewal?.status ?? 'not begun'}`,
    remedy:
      'nothing is lost: the event "ACM Certificate Available" or the daily reconcile exports the successor when it comes',
  });
}

export function certificateUnknown(certificateArn: string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_CERTIFICATE_UNKNOWN',
    message: `there is no certificate ${certificateArn}: expected one of this account and region`,
    remedy: 'look it up with aws acm list-certificates --includes keyTypes=EC_prime256v1',
  });
}

export function certificateNotOurs(certificateArn: string, meshName: string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_CERTIFICATE_NOT_OURS',
    message: `certificate ${certificateArn} is not of mesh "${meshName}": expected the tags tokenmesh:mesh, tokenmesh:node and tokenmesh:role`,
    remedy: 'name a certificate of this mesh, or tag this one',
  });
}

export function notExported(certificateArn: string, outcome: string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_NOT_EXPORTED',
    message: `certificate ${certificateArn} was not exported: expected it to be published, got "${outcome}"`,
    remedy: 'check its status and its tags, then rotate again',
  });
}

export function exportBehind(certificateArn: string, expected: string, found: string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_EXPORT_BEHIND',
    message: `export of ${certificateArn} is behind its renewal: expected serial ${expected}, got ${found}`,
    remedy: 'try again: the authority has not spread its own answer yet, and the next run exports it',
  });
}
