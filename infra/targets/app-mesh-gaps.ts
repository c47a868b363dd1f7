import type { Mesh } from '../../mesh/definition.ts';
import { listenerMode, memberOf } from '../../mesh/edges.ts';
import { nodeNames } from '../../mesh/identity.ts';
import type { Gap } from './target.ts';

export const APP_MESH_ENDED =
  'AWS ended App Mesh on 2026-09-30: these resources can be read and compared, and no account can make them any more; deploy with -c target=envoy';

/** What the definition says and App Mesh has no word for (AWS App Mesh API reference, "Data types"). */
export function appMeshGaps(mesh: Mesh): Gap[] {
  const all = nodeNames(mesh);
  const mutual = all.filter((name) => {
    const member = memberOf(mesh, name);
    return member !== undefined && listenerMode(member.listener) === 'mtls';
  });
  const apps = Object.keys(mesh.virtualNodes);
  const gaps: Gap[] = [
    {
      what: 'which identity may call which operation',
      where: mutual.filter((name) => hasNamedCallers(mesh, name)),
      consequence:
        'every member of the mesh reaches every operation; the policy of the tokenizer is the only layer left',
    },
    {
      what: "the caller's verified identity, handed to the app in a header",
      where: mutual,
      consequence: 'the apps do not know who calls, and the tokenizer refuses every request',
    },
    {
      what: 'what a gateway asks of its callers: token and scope, rates, origins',
      where: Object.keys(mesh.virtualGateways).filter(
        (name) => mesh.virtualGateways[name]?.authentication !== undefined,
      ),
      consequence: 'the load balancer checks the token, and nobody its client and its scope',
    },
    {
      what: 'TLS 1.3 alone, and the signature algorithms',
      where: all,
      consequence: 'TLS 1.2 is taken too',
    },
    {
      what: 'revocation: the deny list by serial and the CRLs of the CAs',
      where: mutual,
      consequence: 'a revoked certificate is good until it ends',
    },
    {
      what: 'no resumption of sessions, and a bound on how long a connection lives',
      where: all,
      consequence: 'connections and sessions outlive a rotation',
    },
    {
      what: 'the largest body of a request',
      where: all,
      consequence: 'the apps alone refuse what is too large',
    },
    {
      what: 'an app behind a Unix socket',
      where: apps,
      consequence: 'the apps would have to listen on a port, which anything in the task reaches',
    },
    {
      what: 'secrets from the cert agent, which hands them to the Envoy that it starts',
      where: all,
      consequence: "App Mesh's Envoy starts by itself and would need an SDS server beside it",
    },
  ];
  return gaps.filter(({ where }) => where.length > 0);
}

function hasNamedCallers(mesh: Mesh, name: string): boolean {
  return (mesh.virtualNodes[name]?.listener.operations ?? []).some(({ callers }) => Array.isArray(callers));
}
