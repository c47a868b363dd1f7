/**
 * What has to hold before a request is looked at: the way there, trust, names, revocation.
 *
 * @module
 */

import { readFile } from 'node:fs/promises';
import type { CertificateRole, Mesh } from '../../mesh/definition.ts';
import { identityOf } from '../../mesh/identity.ts';
import { readCertificates, splitPem } from '../../pki/certificate.ts';
import { judgeChain } from '../../pki/chain.ts';
import { sidecarStatus } from '../facts/agent.ts';
import { peerCheck } from '../facts/through-egress.ts';
import { identityFiles } from '../identities.ts';
import { nodeState, type RunState } from '../run-state.ts';
import { OUTSIDE } from '../tap/seen-request.ts';
import type { BootstrapFacts } from './bootstrap-facts.ts';
import type { AskedEdge } from './edge-question.ts';
import { DEFINITION, type Layer } from './layer.ts';

/** What both Envoys were started with; undefined for a side that has none of ours. */
export interface Told {
  readonly caller: BootstrapFacts | undefined;
  readonly callee: BootstrapFacts | undefined;
}

/** From the caller's Envoy to the moment in which the far end knows who calls. */
export async function connectionLayers(
  mesh: Mesh,
  state: RunState,
  edge: AskedEdge,
  told: Told,
): Promise<Layer[]> {
  return [
    route(edge, told.caller),
    ...(await trust(state, edge)),
    ...names(mesh, edge, told),
    ...(await revocation(state, edge)),
    ...(await seenNow(mesh, state, edge)),
  ];
}

function route({ from, service, isDeclared }: AskedEdge, told: BootstrapFacts | undefined): Layer {
  if (from === OUTSIDE) {
    return {
      layer: 'route',
      ok: isDeclared,
      says: isDeclared ? `${service} is a way in from outside` : `nothing outside is led to ${service}`,
      fact: isDeclared
        ? `virtualGateways.${service} in ${DEFINITION}`
        : `${service} is no virtual gateway in ${DEFINITION}`,
    };
  }
  const ok = told?.demandedNames.has(service) === true;
  return {
    layer: 'route',
    ok,
    says: ok ? `${from}'s Envoy leads to ${service}` : `${from}'s Envoy knows no ${service}`,
    fact: isDeclared
      ? `${service} is among the backends of ${from} in ${DEFINITION}`
      : `${service} is not among the backends of ${from} in ${DEFINITION}`,
  };
}

/** Each side's certificate against what the other trusts, both as they were delivered. */
async function trust(state: RunState, { from, to, service, mode }: AskedEdge): Promise<Layer[]> {
  if (mode === 'none') {
    return [
      { layer: 'TLS trust', ok: true, says: 'nobody proves anything', fact: 'the edge is without TLS' },
    ];
  }
  if (to === undefined) {
    const fact = `the bundle for ${service} in the placement of ${from}`;
    return [{ layer: 'TLS trust', ok: true, says: `${service} must lead to a root of its own bundle`, fact }];
  }
  const trusting = from === OUTSIDE ? to : from;
  const server = await chainLayer(state, to, 'server', trusting, 'client', from);
  if (mode !== 'mtls') return [server];
  if (from === OUTSIDE) {
    return [
      server,
      {
        layer: 'TLS trust',
        ok: false,
        says: 'a caller from outside has no certificate',
        fact: `${to} asks for one: clientValidation in ${DEFINITION}`,
      },
    ];
  }
  return [server, await chainLayer(state, from, 'client', to, 'server', to)];
}

async function chainLayer(
  state: RunState,
  shown: string,
  role: CertificateRole,
  trusting: string,
  trustingRole: CertificateRole,
  judge: string,
): Promise<Layer> {
  const pem = await readFile(identityFiles(state, shown, role).chain, 'utf8');
  const trustedRoots = await readFile(identityFiles(state, trusting, trustingRole).trust, 'utf8');
  const [leaf, ...chain] = splitPem(pem);
  const facts = leaf === undefined ? undefined : readCertificates(leaf).certificates[0];
  const problems =
    facts === undefined
      ? []
      : judgeChain({ leaf: facts, chain: chain.join('\n'), trustedRoots, now: new Date() });
  const roots = readCertificates(trustedRoots)
    .certificates.map(({ subject }) => subject)
    .join(', ');
  const isInTime = facts !== undefined && facts.notAfter.getTime() > Date.now();
  const ok = facts !== undefined && problems.length === 0 && isInTime;
  return {
    layer: 'TLS trust',
    ok,
    says: ok
      ? `${judge} trusts the certificate of ${shown}`
      : (problems[0]?.message ?? `the ${role} certificate of ${shown} is not valid any more`),
    fact: `serial ${facts?.serial.slice(0, 8) ?? 'none'}..., until ${facts?.notAfter.toISOString().slice(0, 10) ?? 'never'}, under ${roots}`,
  };
}

/** The names that certificates must have, as both Envoys were told. */
function names(mesh: Mesh, { from, to, service, mode }: AskedEdge, told: Told): Layer[] {
  if (mode === 'none') return [];
  const demanded = told.caller?.demandedNames.get(service);
  const served = to === undefined ? mesh.externalServices[service]?.hostname : identityOf(mesh, to);
  const ofServer: Layer[] =
    told.caller === undefined || demanded === undefined
      ? []
      : [
          {
            layer: 'SAN',
            ok: demanded === served,
            says: `${from} demands that ${service} be ${demanded}`,
            fact: `match_typed_subject_alt_names of the cluster ${service} in ${from}'s bootstrap`,
          },
        ];
  if (mode !== 'mtls' || to === undefined) return ofServer;
  const own = from === OUTSIDE ? undefined : identityOf(mesh, from);
  const accepted = told.callee?.acceptedNames ?? [];
  return [
    ...ofServer,
    {
      layer: 'SAN',
      ok: own !== undefined && accepted.includes(own),
      says: own === undefined ? 'a caller from outside has no name' : `${to} takes the name ${own}`,
      fact: `match_typed_subject_alt_names of the listener in ${to}'s bootstrap: ${accepted.length} names`,
    },
  ];
}

async function revocation(state: RunState, { from, to, mode }: AskedEdge): Promise<Layer[]> {
  if (mode !== 'mtls' || to === undefined || from === OUTSIDE) return [];
  const status = await sidecarStatus(nodeState(state, to).agentSocket);
  const own = await sidecarStatus(nodeState(state, from).agentSocket);
  const serial = own?.certificates.find(({ role }) => role === 'client')?.serial;
  const denied = status?.revocation.deniedSerials ?? [];
  const crl = status?.trust.find(({ hierarchy }) => hierarchy === 'clients')?.crlSerials ?? [];
  const ok = serial !== undefined && status !== undefined && ![...denied, ...crl].includes(serial);
  return [
    {
      layer: 'revocation',
      ok,
      says: ok
        ? `${from}'s certificate is not revoked`
        : `${from}'s certificate is revoked, or nobody can say`,
      fact: `serial ${serial?.slice(0, 8) ?? 'unknown'}..., held against ${denied.length} serials of the deny list and ${crl.length} of the CRLs at ${to}`,
    },
  ];
}

/** Asked over the edge itself: the far end's Envoy says whom it sees. */
async function seenNow(
  mesh: Mesh,
  state: RunState,
  { from, to, service, mode }: AskedEdge,
): Promise<Layer[]> {
  if (mode !== 'mtls' || to === undefined || from === OUTSIDE) return [];
  // A gateway has routes for its operations alone.
  if (from in mesh.virtualGateways) return [];
  const seen = await peerCheck(nodeState(state, from).egressSocket, service);
  return [
    {
      layer: 'seen now',
      ok: seen?.identity === identityOf(mesh, from),
      says: seen === undefined ? `${to} does not answer ${from}` : `${to} sees ${seen.identity}`,
      fact:
        seen === undefined
          ? `asked through ${from}'s own Envoy`
          : `asked through ${from}'s own Envoy, which showed serial ${seen.serial.slice(0, 8)}...`,
    },
  ];
}
