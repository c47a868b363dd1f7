import type { CertificateRole, Hierarchy } from '../../mesh/definition.ts';
import { check, type CheckResult } from './check.ts';

interface Problem {
  readonly message: string;
  readonly remedy: string;
}

/** What a sidecar has of one hierarchy's revocation lists. */
export interface CrlFactsOfHierarchy {
  readonly hierarchy: Hierarchy;
  /** Envoy checks handshakes against the lists. */
  readonly isChecked: boolean;
  /** The soonest of the lists; undefined where one is missing. */
  readonly hoursToNextUpdate: number | undefined;
  readonly serials: number;
  readonly problems: readonly Problem[];
}

export interface RevocationFacts {
  readonly node: string;
  /** What the deny list of the mesh holds and the node's listener does not refuse. */
  readonly notDenied: readonly string[];
  readonly deniedSerials: number;
  /** What keeps the sidecar from the newest deny list. */
  readonly problems: readonly Problem[];
  readonly crls: readonly CrlFactsOfHierarchy[];
  /** The node's own certificates in use that are on the deny list. */
  readonly ownRevoked: readonly CertificateRole[];
}

export function checkRevocation(facts: RevocationFacts): CheckResult[] {
  return [ownIsValid(facts), denyListIsTaken(facts), ...facts.crls.map((crl) => crlIsChecked(facts, crl))];
}

function ownIsValid({ node, ownRevoked }: RevocationFacts): CheckResult {
  const isNone = ownRevoked.length === 0;
  return check('revocation.own', node, isNone, isNone ? 'none' : `revoked: ${ownRevoked.join(', ')}`);
}

function denyListIsTaken({ node, notDenied, deniedSerials, problems }: RevocationFacts): CheckResult {
  const [problem] = problems;
  const found =
    notDenied.length === 0 ? `${deniedSerials} serials refused` : `${notDenied.length} serials not refused`;
  return check(
    'revocation.deny-list',
    node,
    notDenied.length === 0 && problem === undefined,
    problem?.message ?? found,
    problem?.remedy,
  );
}

function crlIsChecked({ node }: RevocationFacts, crl: CrlFactsOfHierarchy): CheckResult {
  const [problem] = crl.problems;
  return check(
    'revocation.crl',
    `${node} ${crl.hierarchy}`,
    crl.isChecked && problem === undefined,
    problem === undefined ? foundOf(crl) : `${crl.isChecked ? '' : 'not checked: '}${problem.message}`,
    problem?.remedy,
  );
}

function foundOf({ isChecked, serials, hoursToNextUpdate }: CrlFactsOfHierarchy): string {
  if (!isChecked) return 'not checked';
  return `${serials} serials, next update in ${Math.floor(hoursToNextUpdate ?? 0)} h`;
}
