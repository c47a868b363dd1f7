import type { Hierarchy, Mesh } from '../../mesh/definition.ts';
import { HIERARCHIES } from '../../mesh/identity.ts';
import type { DenyList } from '../../pki/revocation.ts';
import { readDenyList } from '../../renewal/adapters/deny-list.ts';
import type { AwsClients } from '../aws-clients.ts';
import type { CrlFactsOfHierarchy, RevocationFacts } from '../checks/revocation.ts';
import type { RunState } from '../run-state.ts';
import { sidecarStatus, type SidecarStatus } from './agent.ts';

const HOUR_MS = 3_600_000;

/** For each node: what its sidecar has of what is revoked, held against the deny list of the mesh. */
export async function revocationFacts(
  mesh: Mesh,
  state: RunState,
  aws: AwsClients,
): Promise<RevocationFacts[]> {
  // A list that cannot be read is told by the sidecars.
  const list = await readDenyList(aws.secretsManager, mesh.name).catch(() => ({ denied: [] }));
  return await Promise.all(
    state.nodes.map(async ({ name, agentSocket }) =>
      factsOf(name, list, await sidecarStatus(agentSocket), Date.now()),
    ),
  );
}

function factsOf(
  node: string,
  { denied }: DenyList,
  status: SidecarStatus | undefined,
  now: number,
): RevocationFacts {
  const refused = new Set(status?.revocation.deniedSerials);
  const serials = denied.map(({ serial }) => serial);
  const revoked = new Set([...serials, ...refused]);
  const own = status?.certificates ?? [];
  return {
    node,
    notDenied: serials.filter((serial) => !refused.has(serial)),
    deniedSerials: refused.size,
    problems: status?.revocation.problems ?? [],
    crls: HIERARCHIES.map((hierarchy) => crlFactsOf(hierarchy, status, now)),
    ownRevoked: own
      .filter(({ serial }) => serial !== undefined && revoked.has(serial))
      .map(({ role }) => role),
  };
}

function crlFactsOf(
  hierarchy: Hierarchy,
  status: SidecarStatus | undefined,
  now: number,
): CrlFactsOfHierarchy {
  const trust = status?.trust.find((each) => each.hierarchy === hierarchy);
  const crls = status?.revocation.crls.filter((each) => each.hierarchy === hierarchy) ?? [];
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
