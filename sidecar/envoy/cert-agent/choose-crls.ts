/**
 * Decides which CRLs Envoy checks handshakes against: all that it needs, or none.
 *
 * With any list at all, Envoy refuses whoever is issued by a CA whose list is missing or stale. So a set
 * that is not whole is never handed over by accident: the policy of the mesh decides.
 *
 * @module
 */

import { createHash } from 'node:crypto';
import type { RevocationPolicy } from '../../../mesh/definition.ts';
import type { CertificateFacts } from '../../../pki/certificate.ts';
import { isIssuedBy } from '../../../pki/chain.ts';
import { judgeStaleness, type CrlFacts } from '../../../pki/crl.ts';
import { nameOf, type PkiProblem } from '../../../pki/problem.ts';
import type { CrlPlace } from '../../../pki/revocation.ts';

export interface HeldAuthority {
  readonly certificate: CertificateFacts;
  readonly place: CrlPlace;
  /** The last list of this CA that was good when it came. */
  held: CrlFacts | undefined;
}

export interface CrlQuestionOfTrust {
  readonly roots: readonly CertificateFacts[];
  readonly authorities: readonly HeldAuthority[];
  readonly policy: RevocationPolicy;
  readonly now: Date;
}

export interface CrlChoice {
  /**
   * `check`: with these lists. `wait`: a list has never been had, so trust that is in use stays as it
   * is. `lift`: without any, until there is a good one again; what was revoked stays on the deny list.
   */
  readonly verdict: 'check' | 'wait' | 'lift';
  /** With `wait`: whether a node with no trust in use yet may start without the lists. */
  readonly mayStart: boolean;
  /** PEM, with `check`. */
  readonly pem?: string;
  /** Those that the lists name. */
  readonly serials: readonly string[];
  /** Changes whenever what Envoy is to have does. */
  readonly version: string;
  readonly problems: readonly PkiProblem[];
}

export function chooseCrls(question: CrlQuestionOfTrust): CrlChoice {
  const { roots, policy, now } = question;
  const mayStart = policy.afterNextUpdate === 'keep';
  const authorities = underRoots(question);
  const unlisted = roots.filter((root) => !authorities.some(({ certificate }) => isSame(certificate, root)));
  const missing = [
    ...unlisted,
    ...authorities.filter(({ held }) => held === undefined).map(({ certificate }) => certificate),
  ].map(crlMissing);
  if (missing.length > 0)
    return { verdict: 'wait', mayStart, serials: [], version: 'wait', problems: missing };
  const held = authorities.flatMap((each) => (each.held === undefined ? [] : [each.held]));
  const stale = held.flatMap((facts) => judgeStaleness(facts, now) ?? []);
  if (stale.length > 0 && policy.afterNextUpdate === 'keep')
    return { verdict: 'lift', mayStart, serials: [], version: 'lift', problems: stale };
  const pem = held.map((facts) => facts.pem).join('');
  const version = createHash('sha256').update(pem).digest('hex');
  const serials = held.flatMap((facts) => facts.serials);
  const problems = [...stale, ...lateOnes(held, question)];
  return { verdict: 'check', mayStart, pem, serials, version, problems };
}

function lateOnes(held: readonly CrlFacts[], { policy, now }: CrlQuestionOfTrust): PkiProblem[] {
  const soon = new Date(now.getTime() + policy.alarmBeforeNextUpdateHours * HOUR_MS);
  return held.filter(({ nextUpdate }) => nextUpdate >= now && nextUpdate < soon).map(crlLate);
}

const HOUR_MS = 3_600_000;

/** Those that a trusted root leads to. A CA that is not trusted any more has no say. */
function underRoots({ roots, authorities }: CrlQuestionOfTrust): HeldAuthority[] {
  const trusted = authorities.filter(({ certificate }) => roots.some((root) => isSame(root, certificate)));
  const found = new Set(trusted);
  for (const each of found) {
    for (const other of authorities) if (isIssuedBy(other.certificate, each.certificate)) found.add(other);
  }
  return [...found];
}

function isSame(one: CertificateFacts, other: CertificateFacts): boolean {
  return one.x509.fingerprint256 === other.x509.fingerprint256;
}

function crlMissing(certificate: CertificateFacts): PkiProblem {
  return {
    code: 'ERR_CRL_MISSING',
    message: `there is no CRL of ${nameOf(certificate)}: expected one for every trusted root and every CA under it`,
    remedy:
      "list the CA with the place of its CRL in the mesh's revocation secret before its root is trusted, and see that the CA has written one",
  };
}

function crlLate(facts: CrlFacts): PkiProblem {
  return {
    code: 'ERR_CRL_LATE',
    message: `the CRL of "${facts.issuer}" has not been replaced: expected a new one by now, got one that ends at ${facts.nextUpdate.toISOString()}`,
    remedy: 'see in the events of the CA why it writes none: a bucket that is gone, or a policy that changed',
  };
}
