import { readCertificates, type CertificateFacts } from './certificate.ts';
import { isIssuedBy } from './chain.ts';
import { judgeDates, nameOf, type PkiProblem } from './problem.ts';

export type TrustVerdict =
  | { readonly verdict: 'usable'; readonly roots: readonly CertificateFacts[] }
  | { readonly verdict: 'refused'; readonly problems: readonly PkiProblem[] };

/**
 * Judges a trust bundle: the roots that a side takes its peers' certificates from.
 *
 * An empty one would refuse everyone, and one that holds a leaf would trust that leaf's key alone:
 * so every certificate must be a CA, signed by itself, and valid at `now`.
 */
export function judgeTrust(pem: string, now: Date): TrustVerdict {
  const { certificates, isWhole } = readCertificates(pem);
  const problems = [
    ...(pem.trim() === '' ? [TRUST_EMPTY] : []),
    ...(isWhole ? [] : [TRUST_UNREADABLE]),
    ...certificates.flatMap((root) => judgeRoot(root, now)),
  ];
  return problems.length === 0
    ? { verdict: 'usable', roots: certificates }
    : { verdict: 'refused', problems };
}

function judgeRoot(root: CertificateFacts, now: Date): PkiProblem[] {
  return [
    ...(root.isCa ? [] : [notCa(root)]),
    ...(isIssuedBy(root, root) ? [] : [notSelfSigned(root)]),
    ...judgeDates(root, now, { expired: 'ERR_TRUST_EXPIRED', notYetValid: 'ERR_TRUST_NOT_YET_VALID' }),
  ];
}

const WRITE_AGAIN = 'write the roots of the hierarchy into its trust secret again';

const TRUST_EMPTY: PkiProblem = {
  code: 'ERR_TRUST_MISSING',
  message: 'trust bundle is empty: expected at least one root certificate in PEM',
  remedy: WRITE_AGAIN,
};

const TRUST_UNREADABLE: PkiProblem = {
  code: 'ERR_TRUST_UNREADABLE',
  message: 'trust bundle is not readable: expected root certificates in PEM and nothing else',
  remedy: WRITE_AGAIN,
};

function notCa(root: CertificateFacts): PkiProblem {
  return {
    code: 'ERR_TRUST_NOT_CA',
    message: `certificate ${nameOf(root)} stands in the trust bundle: expected a CA, got a certificate that may not issue`,
    remedy: WRITE_AGAIN,
  };
}

function notSelfSigned(root: CertificateFacts): PkiProblem {
  return {
    code: 'ERR_TRUST_NOT_SELF_SIGNED',
    message: `certificate ${nameOf(root)} stands in the trust bundle: expected a root signed by itself, got one issued by "${root.issuer}"`,
    remedy: `put the root there instead of the intermediate: ${WRITE_AGAIN}`,
  };
}
