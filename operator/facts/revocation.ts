import type { Hierarchy, Mesh } from '../../mesh/definition.ts';
import { HIERARCHIES } from '../../mesh/identity.ts';
import type { DenyList } from '../../pki/revocation.ts';
import { readDenyList } from '../../renewal/adapters/deny-list.ts';
import type { AwsClients } from '../aws-clients.ts';
import type { CrlFactsOfHierarchy, RevocationFacts } from '../checks/revocation.ts';
import type { RunState } from '../run-state.ts';
import { SilentError, type Looking } from './looking.ts';
import { sidecarStatus, type SidecarStatus } from './agent.ts';

const HOUR_MS = 3_600_000;

/** For each node: what its sidecar has of what is revoked, held against the deny list of the mesh. */
export async function revocationFacts(
  looking: Looking,
  mesh: Mesh,
  state: RunState,
  aws: AwsClients,
): Promise<RevocationFacts[]> {
  const list = await looking.at(
    'revocation',
    undefined,
    async () => await readDenyList(aws.secretsManager, mesh.name),
  );
  if (list === undefined) return [];
  return await looking.atEach(
    'revocation',
    state.nodes,
    ({ name }) => name,
    async ({ name, agentSocket }) => {
      const status = await sidecarStatus(agentSocket);
      if (status === undefined) throw new SilentError(`the sidecar of ${name}`);
      return factsOf(name, list, status, Date.now());
    },
    'at-once',
  );
}

/** What a sidecar has by itself, where the deny list cannot be read beside it. */
export function ownRevocationFacts(node: string, status: SidecarStatus, now: number): RevocationFacts {
  return factsOf(node, { denied: [] }, status, now);
}

function factsOf(node: string, { denied }: DenyList, status: SidecarStatus, now: number): RevocationFacts {
  const refused = new Set(status.revocation.deniedSerials);
  const serials = denied.map(({ serial }) => serial);
  const revoked = new Set([...serials, ...refused]);
  const own = status.certificates;
  return {
    node,
    notDenied: serials.filter((serial) => !refused.has(serial)),
    deniedSerials: refused.size,
    problems: status.revocation.problems,
    crls: HIERARCHIES.map((hierarchy) => crlFactsOf(hierarchy, status, now)),
    ownRevoked: own
      .filter(({ serial }) => serial !== undefined && revoked.has(serial))
      .map(({ role }) => role),
  };
}

function crlFactsOf(hierarchy: Hierarchy, status: SidecarStatus, now: number): CrlFactsOfHierarchy {
  const trust = status.trust.find((each) => each.hierarchy === hierarchy);
  const crls = status.revocation.crls.filter((each) => each.hierarchy === hierarchy);
  const ends = crls.map(({ nextUpdate }) => (nextUpdate === undefined ? undefined : Date.parse(nextUpdate)));
  const soonest = ends.includes(undefined) ? undefined : Math.min(...ends.map(Number));
  return {
    hierarchy,
    isChecked: trust?.isCrlChecked === true,
    hoursToNextUpdate: soonest === undefined ? undefined : (soonest - now) / HOUR_MS,
    serials: trust?.crlSerials.length ?? 0,
    problems: [...(trust?.crlProblems ?? []), ...crls.flatMap(({ problems }) => problems)],
  };
}
