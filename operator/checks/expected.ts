import type { Mesh } from '../../mesh/definition.ts';
import { certificateSourceOf } from '../../mesh/certificate-source.ts';
import { edgesOf, listenerMode, memberOf } from '../../mesh/edges.ts';
import { CERTIFICATE_ROLES, HIERARCHIES, nodeNames } from '../../mesh/identity.ts';
import type { ExpectedCheck } from './check.ts';
import type { CheckId } from './catalogue.ts';
import { permits } from './policy.ts';
import { INTRUSIONS, ONE_WAY_INTRUSIONS, type Intrusion } from './refusals.ts';
import { vaultTenants } from '../../mesh/vault-access.ts';

/** What stands for the callers outside the mesh. */
export const OUTSIDE = 'outside';

/** The keys of the vault in KMS. */
export const KMS_KEYS = ['vault', 'audit'] as const;

/** What stands for AWS's clock. */
export const AWS_CLOCK = 'aws';

/**
 * Every check that a definition calls for. One that is not made says so: see `withUnknown`.
 *
 * @param shortLived - The nodes that renew their certificates themselves, where a run chose others than the
 *   definition.
 */
export function expectedChecks(
  mesh: Mesh,
  shortLived: ReadonlySet<string> = shortLivedNodes(mesh),
): ExpectedCheck[] {
  return [
    ...nodeNames(mesh).flatMap((node) => ofNode(mesh, node, shortLived.has(node))),
    ...Object.keys(mesh.functions).flatMap(ofFunction),
    ...ofEdges(mesh),
    ...ofCalls(mesh),
    { id: 'vault.ready', subject: 'tokenizer' },
    { id: 'keys.fresh', subject: 'tokenizer' },
    ...KMS_KEYS.map((subject): ExpectedCheck => ({ id: 'keys.enabled', subject })),
    ...[...vaultTenants(mesh)].map((subject): ExpectedCheck => ({ id: 'keys.tenant', subject })),
    { id: 'clock.agrees', subject: AWS_CLOCK },
  ];
}

function shortLivedNodes(mesh: Mesh): ReadonlySet<string> {
  return new Set(nodeNames(mesh).filter((node) => certificateSourceOf(mesh, node).kind === 'short-lived'));
}

function ofNode(mesh: Mesh, node: string, isShortLived: boolean): ExpectedCheck[] {
  const life: CheckId = isShortLived ? 'certificates.renews-itself' : 'certificates.days-left';
  const certificateIds: CheckId[] = ['certificates.taken', 'certificates.served', life];
  return [
    ...CERTIFICATE_ROLES.flatMap((role) =>
      certificateIds.map((id): ExpectedCheck => ({ id, subject: `${node} ${role}` })),
    ),
    ...intrusionsOf(mesh, node).map((intrusion): ExpectedCheck => ({
      id: `refusals.${intrusion}`,
      subject: node,
    })),
    { id: 'revocation.own', subject: node },
    { id: 'revocation.deny-list', subject: node },
    ...HIERARCHIES.map((hierarchy): ExpectedCheck => ({
      id: 'revocation.crl',
      subject: `${node} ${hierarchy}`,
    })),
    { id: 'clock.agrees', subject: node },
    ...(mesh.virtualGateways[node]?.authentication === undefined
      ? []
      : [{ id: 'policy.token', subject: node } as const]),
  ];
}

/** A function has no sidecar and no listener: what can be held of it is its certificate, where it takes it from. */
function ofFunction(name: string): ExpectedCheck[] {
  return [
    { id: 'certificates.published', subject: `${name} client` },
    { id: 'certificates.days-left', subject: `${name} client` },
    { id: 'revocation.own', subject: name },
  ];
}

/** What a listener must refuse: a one-way listener asks for no certificate, so none can be wrong. */
export function intrusionsOf(mesh: Mesh, node: string): readonly Intrusion[] {
  const member = memberOf(mesh, node);
  const mutual = member !== undefined && listenerMode(member.listener) === 'mtls';
  return mutual ? (Object.keys(INTRUSIONS) as Intrusion[]) : ONE_WAY_INTRUSIONS;
}

function ofEdges(mesh: Mesh): ExpectedCheck[] {
  const inside = edgesOf(mesh).flatMap(({ from, to, mode }) =>
    to === undefined ? [] : [{ subject: `${from} -> ${to}`, mutual: mode === 'mtls' }],
  );
  const outside = Object.entries(mesh.virtualGateways).map(([name, gateway]) => ({
    subject: `${OUTSIDE} -> ${name}`,
    mutual: listenerMode(gateway.listener) === 'mtls',
  }));
  return [...outside, ...inside].flatMap(({ subject, mutual }) => {
    const own: CheckId[] = mutual ? ['mtls.mutual', 'mtls.identity'] : ['mtls.one-way'];
    return (['mtls.counted', 'mtls.version', ...own] as CheckId[]).map((id) => ({ id, subject }));
  });
}

function ofCalls(mesh: Mesh): ExpectedCheck[] {
  return edgesOf(mesh).flatMap(({ from, to, virtualService }) => {
    const operations = to === undefined ? [] : (mesh.virtualNodes[to]?.listener.operations ?? []);
    return operations.map((operation): ExpectedCheck => ({
      id: permits(operation, from) ? 'policy.permitted' : 'policy.denied',
      subject: `${from} -> ${virtualService} ${operation.name}`,
    }));
  });
}
