/**
 * Proves the mesh: connects, counts, compares. Everything is looked at now; nothing is taken from
 * what a component says of itself alone.
 *
 * @module
 */

import type { EdgeMode, Mesh } from '../mesh/definition.ts';
import type { AwsClients } from './aws-clients.ts';
import { checkCertificate, type CertificateFacts } from './checks/certificates.ts';
import type { CheckResult } from './checks/check.ts';
import { checkEdge, type EdgeFacts } from './checks/mtls.ts';
import { checkCall, checkVault } from './checks/policy.ts';
import { checkRevocation } from './checks/revocation.ts';
import { checkRefusal, type RefusalFacts } from './checks/refusals.ts';
import { callFacts } from './facts/calls.ts';
import { certificateFacts } from './facts/certificates.ts';
import { edgeFacts } from './facts/edges.ts';
import { revocationFacts } from './facts/revocation.ts';
import { refusalFacts } from './facts/refusals.ts';
import { callThrough } from './facts/through-egress.ts';
import { nodeState, type RunState } from './run-state.ts';

/** One row of the handshake table. */
export interface EdgeRow {
  readonly from: string;
  readonly to: string;
  readonly mode: EdgeMode;
  readonly handshakes: number;
  readonly noCertificate: number;
  readonly tls: string;
  readonly serialServed: boolean;
  readonly daysLeft: number;
  readonly refused: number;
  readonly ok: boolean;
}

export interface Verification {
  readonly ok: boolean;
  readonly edges: readonly EdgeRow[];
  readonly checks: readonly CheckResult[];
}

export async function verifyMesh(mesh: Mesh, state: RunState, aws: AwsClients): Promise<Verification> {
  const certificates = await certificateFacts(state, aws);
  const edges = await edgeFacts(mesh, state);
  const refusals = await refusalFacts(mesh, state);
  const checks = [
    ...(await revocationFacts(mesh, state, aws)).flatMap(checkRevocation),
    ...certificates.flatMap(checkCertificate),
    ...edges.flatMap(checkEdge),
    ...refusals.map(checkRefusal),
    ...(await callFacts(mesh, state)).map(checkCall),
    checkVault(
      (await callThrough(nodeState(state, 'order').egressSocket, 'http://tokenizer/readyz', 'GET'))?.status,
    ),
  ];
  return {
    ok: checks.every((each) => each.ok),
    edges: edges.map((edge) => edgeRow(edge, certificates, refusals, checks)),
    checks,
  };
}

function edgeRow(
  edge: EdgeFacts,
  certificates: readonly CertificateFacts[],
  refusals: readonly RefusalFacts[],
  checks: readonly CheckResult[],
): EdgeRow {
  const served = certificates.filter(
    (each) =>
      (each.node === edge.to && each.role === 'server') ||
      (each.node === edge.from && each.role === 'client'),
  );
  const subjects = [
    `${edge.from} -> ${edge.to}`,
    ...served.map((each) => `${each.node} ${each.role}`),
    edge.to,
  ];
  return {
    from: edge.from,
    to: edge.to,
    mode: edge.mode,
    handshakes: edge.after.handshake,
    noCertificate: edge.after.noCertificate,
    tls: Object.keys(edge.after.versions).join(', '),
    serialServed: served.every((each) => each.servedSerial === each.issuedSerial),
    daysLeft: Math.floor(Math.min(...served.map((each) => each.daysLeft))),
    refused: refusals.filter((each) => each.listener === edge.to && each.outcome.outcome === 'refused')
      .length,
    ok: checks.filter((each) => subjects.includes(each.subject)).every((each) => each.ok),
  };
}
