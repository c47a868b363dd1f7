/**
 * Whether a chain leads, signature by signature and in order, from a leaf to a trusted root.
 *
 * Dates, CA flags, issuer names, key usage and signatures are judged here. Path lengths and name
 * constraints are not: Node does not show them, and the peer's TLS library enforces them.
 *
 * @module
 */

import { readCertificates, type CertificateFacts } from './certificate.ts';
import { judgeDates, judgeKeyStrength, nameOf, type PkiProblem } from './problem.ts';

export interface ChainQuestion {
  readonly leaf: CertificateFacts;
  /** PEM, leaf's issuer first; the root may stand at the end, or not. */
  readonly chain: string;
  /** PEM of the roots of the own hierarchy. */
  readonly trustedRoots: string;
  readonly now: Date;
}

export function judgeChain(question: ChainQuestion): PkiProblem[] {
  const chain = readCertificates(question.chain);
  const roots = readCertificates(question.trustedRoots);
  return [
    ...(chain.isWhole ? [] : [CHAIN_UNREADABLE]),
    ...(roots.isWhole && roots.certificates.length > 0 ? [] : [ROOTS_UNUSABLE]),
    ...judgeAuthorities(chain.certificates, question.now),
    ...judgePath([question.leaf, ...chain.certificates], roots.certificates, question.now),
  ];
}

/** Whether `issuer` made this signature: by name, key identifier, key usage and the signature itself. */
export function isIssuedBy(subject: CertificateFacts, issuer: CertificateFacts): boolean {
  try {
    return subject.x509.checkIssued(issuer.x509) && subject.x509.verify(issuer.x509.publicKey);
  } catch {
    return false;
  }
}

function judgeAuthorities(authorities: readonly CertificateFacts[], now: Date): PkiProblem[] {
  return authorities.flatMap((authority) => [
    ...judgeDates(authority, now, {
      expired: 'ERR_CHAIN_EXPIRED',
      notYetValid: 'ERR_CHAIN_NOT_YET_VALID',
    }),
    ...judgeKeyStrength(authority),
    ...(authority.isCa ? [] : [notCa(authority)]),
  ]);
}

/** Follows the path up to the first link that does not hold: what stands above a broken link proves nothing. */
function judgePath(
  path: readonly CertificateFacts[],
  roots: readonly CertificateFacts[],
  now: Date,
): PkiProblem[] {
  for (const [index, certificate] of path.entries()) {
    const issuer = path[index + 1];
    if (issuer === undefined) return judgeAnchor(certificate, roots, now);
    if (!isIssuedBy(certificate, issuer)) return [brokenLink(certificate, issuer)];
  }
  return [];
}

function judgeAnchor(last: CertificateFacts, roots: readonly CertificateFacts[], now: Date): PkiProblem[] {
  const anchors = roots.filter(
    (root) => root.x509.fingerprint256 === last.x509.fingerprint256 || isIssuedBy(last, root),
  );
  if (anchors.length === 0) return [untrusted(last)];
  const judged = anchors.map((root) =>
    judgeDates(root, now, { expired: 'ERR_TRUST_EXPIRED', notYetValid: 'ERR_TRUST_NOT_YET_VALID' }),
  );
  return judged.some((problems) => problems.length === 0) ? [] : judged.flat();
}

const CHAIN_UNREADABLE: PkiProblem = {
  code: 'ERR_CHAIN_UNREADABLE',
  message: 'chain is not readable: expected certificates in PEM and nothing else, got something else as well',
  remedy: 'export the certificate again: npm run mesh -- rotate <node>',
};

const ROOTS_UNUSABLE: PkiProblem = {
  code: 'ERR_TRUST_UNREADABLE',
  message: 'trusted roots are not usable: expected at least one certificate in PEM and nothing else',
  remedy: 'write the roots of the hierarchy into its trust secret again',
};

function notCa(authority: CertificateFacts): PkiProblem {
  return {
    code: 'ERR_CHAIN_NOT_CA',
    message: `certificate ${nameOf(authority)} stands in the chain: expected a CA there, got a certificate that may not issue`,
    remedy: 'export the certificate again, and leave its leaf out of the chain',
  };
}

function brokenLink(certificate: CertificateFacts, issuer: CertificateFacts): PkiProblem {
  return {
    code: 'ERR_CHAIN_BROKEN',
    message: `chain breaks at ${nameOf(certificate)}: expected its issuer "${certificate.issuer}" next, got ${nameOf(issuer)}, which did not sign it`,
    remedy: 'export the certificate again: the chain must hold every intermediate, issuer of the leaf first',
  };
}

function untrusted(last: CertificateFacts): PkiProblem {
  return {
    code: 'ERR_CHAIN_UNTRUSTED',
    message: `chain ends at ${nameOf(last)}: expected a trusted root or one that it signed, got one issued by "${last.issuer}"`,
    remedy:
      'add the missing intermediate to the chain, or issue the certificate from a CA of the own hierarchy',
  };
}
