/**
 * What the nodes have of a rollover: asked of their agents, of their Envoys, and by connections.
 *
 * @module
 */

import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { request } from 'undici';
import { SecretsManagerStore } from '../../cert-exporter/adapters/secrets-manager.ts';
import type { CertificateRole, Hierarchy, Mesh } from '../../mesh/definition.ts';
import { listenerMode, memberOf } from '../../mesh/edges.ts';
import { readCertificates } from '../../pki/certificate.ts';
import { judgeChain } from '../../pki/chain.ts';
import { normalizeSerial, secretNames } from '../../pki/secret.ts';
import type { NodeServes, NodeTrusts } from '../checks/rollover.ts';
import type { NodeState, RunState } from '../run-state.ts';
import { sidecarStatus } from './agent.ts';
import { servedSerial } from './served-serial.ts';

export interface LookParts {
  readonly mesh: Mesh;
  readonly state: RunState;
  readonly secretsManager: SecretsManagerClient;
}

/** @param known - Serials of roots: a TLS context of Envoy's that has any of them is one where the bundle is used. */
export async function trustFacts(
  { mesh, state }: LookParts,
  hierarchy: Hierarchy,
  known: readonly string[],
): Promise<NodeTrusts[]> {
  return await Promise.all(
    state.nodes.map(async (node) => {
      const trust = (await sidecarStatus(node.agentSocket))?.trust.find(
        (each) => each.hierarchy === hierarchy,
      );
      const places = await loadedRoots(node);
      return {
        node: node.name,
        version: trust?.version,
        problems: trust?.problems ?? [],
        usesBundle: usesBundle(mesh, node.name, hierarchy),
        loadedRoots: places?.filter((roots) => roots.some((serial) => known.includes(serial))),
      };
    }),
  );
}

/** A listener that asks for certificates judges clients; whoever calls judges servers. */
function usesBundle(mesh: Mesh, nodeName: string, hierarchy: Hierarchy): boolean {
  const member = memberOf(mesh, nodeName);
  if (member === undefined) return false;
  if (hierarchy === 'clients') return listenerMode(member.listener) === 'mtls';
  return member.backends.some(
    ({ clientPolicy, virtualService }) =>
      clientPolicy.tls !== 'none' && mesh.virtualServices[virtualService] !== undefined,
  );
}

interface CertsPage {
  readonly certificates: readonly { readonly ca_cert?: readonly { readonly serial_number: string }[] }[];
}

/** The serials of the CAs in each TLS context of an Envoy. Undefined where it does not answer. */
async function loadedRoots(node: NodeState): Promise<string[][] | undefined> {
  try {
    const { body } = await request(`${node.adminUrl}/certs`, { headersTimeout: 3_000 });
    const { certificates } = (await body.json()) as CertsPage;
    return certificates.map(({ ca_cert = [] }) =>
      ca_cert.map(({ serial_number }) => normalizeSerial(serial_number)),
    );
  } catch {
    return undefined;
  }
}

export async function servingFacts(
  { mesh, state, secretsManager }: LookParts,
  role: CertificateRole,
  rootCertificate: string,
): Promise<NodeServes[]> {
  const store = new SecretsManagerStore(secretsManager);
  return await Promise.all(
    state.nodes.map(async (node) => {
      const status = await sidecarStatus(node.agentSocket);
      const published = await store.currentCertificate(secretNames(mesh.name, node.name, role).certificate);
      return {
        node: node.name,
        role,
        publishedSerial: published?.serial,
        isOfGeneration: published !== undefined && leadsTo(published, rootCertificate),
        servedSerial: await servedSerial(state, node, role),
        problems: status?.certificates.find((each) => each.role === role)?.problems ?? [],
      };
    }),
  );
}

function leadsTo(published: { certificate: string; chain: string }, rootCertificate: string): boolean {
  const [leaf] = readCertificates(published.certificate).certificates;
  if (leaf === undefined) return false;
  const { chain } = published;
  return judgeChain({ leaf, chain, trustedRoots: rootCertificate, now: new Date() }).length === 0;
}
