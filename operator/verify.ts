/**
 * Proves the mesh: connects, counts, compares. Everything is looked at now; nothing is taken from
 * what a component says of itself alone. What could not be looked at is told as unknown.
 *
 * @module
 */

import type { EdgeMode, Mesh } from '../mesh/definition.ts';
import type { AwsClients } from './aws-clients.ts';
import { CHECK_GROUPS, groupOf, type CheckGroup, type CheckId } from './checks/catalogue.ts';
import { checkCertificate, type CertificateFacts } from './checks/certificates.ts';
import { withUnknown, type CheckResult } from './checks/check.ts';
import { checkClock } from './checks/clock.ts';
import { expectedChecks, KMS_KEYS } from './checks/expected.ts';
import { checkFunctionCertificate, checkFunctionRevocation } from './checks/functions.ts';
import { checkEdge, type EdgeFacts } from './checks/mtls.ts';
import { checkCall, checkTokenless } from './checks/policy.ts';
import { checkRefusal, type RefusalFacts } from './checks/refusals.ts';
import { checkRevocation } from './checks/revocation.ts';
import { checkKmsKey, checkTenantKeys, checkVault } from './checks/vault.ts';
import { callFacts } from './facts/calls.ts';
import { certificateFacts } from './facts/certificates.ts';
import { awsClock, nodeClock } from './facts/clock.ts';
import { edgeFacts } from './facts/edges.ts';
import { functionCertificateFacts, functionRevocationFacts } from './facts/functions.ts';
import { kmsKeyState, tenantKeyFacts } from './facts/keys.ts';
import { Looking } from './facts/looking.ts';
import { refusalFacts } from './facts/refusals.ts';
import { revocationFacts } from './facts/revocation.ts';
import { tokenlessFacts } from './facts/tokenless.ts';
import { vaultFacts } from './facts/vault.ts';
import type { RunState } from './run-state.ts';
import { vaultTenants } from '../mesh/vault-access.ts';

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
  /** When it began, in ISO 8601. */
  readonly at: string;
  /** Empty where not every group that the table shows was asked for. */
  readonly edges: readonly EdgeRow[];
  readonly checks: readonly CheckResult[];
}

/** What the handshake table is made of. */
const TABLE_GROUPS: readonly CheckGroup[] = ['certificates', 'mtls', 'refusals'];

/** @param only - These checks alone; what no other check needs is not looked at either. */
export async function verifyMesh(
  mesh: Mesh,
  state: RunState,
  aws: AwsClients,
  only?: ReadonlySet<CheckId>,
): Promise<Verification> {
  const at = new Date().toISOString();
  const groups = new Set(only === undefined ? CHECK_GROUPS : [...only].map(groupOf));
  const looking = new Looking();
  const ifAsked = async <Facts>(group: CheckGroup, look: () => Promise<Facts[]>): Promise<Facts[]> =>
    groups.has(group) ? await look() : [];
  const certificates = await ifAsked('certificates', async () => await certificateFacts(looking, state, aws));
  const edges = await ifAsked('mtls', async () => await edgeFacts(looking, mesh, state));
  const refusals = await ifAsked('refusals', async () => await refusalFacts(looking, mesh, state));
  const made = [
    ...(await ifAsked('revocation', async () => await revocationFacts(looking, mesh, state, aws))).flatMap(
      checkRevocation,
    ),
    ...certificates.flatMap(checkCertificate),
    ...(await functionChecks(looking, groups, mesh, aws)),
    ...edges.flatMap(checkEdge),
    ...refusals.map(checkRefusal),
    ...(await ifAsked('policy', async () => await policyChecks(looking, mesh, state))),
    ...(groups.has('vault') || groups.has('keys') ? await vaultChecks(looking, state) : []),
    ...(await ifAsked('keys', async () => await keyChecks(looking, mesh, state, aws))),
    ...(await ifAsked('clock', async () => await clockChecks(looking, state))),
  ];
  const isAsked = ({ id }: { readonly id: CheckId }): boolean => only?.has(id) ?? true;
  const checks = withUnknown(
    expectedChecks(mesh, shortLivedOf(state)).filter(isAsked),
    made.filter(isAsked),
    looking.unseen,
  );
  const hasTable = TABLE_GROUPS.every((group) => groups.has(group));
  return {
    ok: checks.length > 0 && checks.every((each) => each.ok),
    at,
    edges: hasTable ? edges.map((edge) => edgeRow(edge, certificates, refusals, checks)) : [],
    checks,
  };
}

async function functionChecks(
  looking: Looking,
  groups: ReadonlySet<CheckGroup>,
  mesh: Mesh,
  aws: AwsClients,
): Promise<CheckResult[]> {
  const certificates = groups.has('certificates') ? await functionCertificateFacts(looking, mesh, aws) : [];
  const revocation = groups.has('revocation') ? await functionRevocationFacts(looking, mesh, aws) : [];
  return [...certificates.flatMap(checkFunctionCertificate), ...revocation.map(checkFunctionRevocation)];
}

function shortLivedOf({ nodes }: RunState): ReadonlySet<string> {
  return new Set(
    nodes.filter(({ certificateSource }) => certificateSource === 'short-lived').map(({ name }) => name),
  );
}

async function policyChecks(looking: Looking, mesh: Mesh, state: RunState): Promise<CheckResult[]> {
  const gateways = Object.entries(mesh.virtualGateways)
    .filter(([, { authentication }]) => authentication !== undefined)
    .map(([name]) => name);
  const tokenless = await looking.atEach(
    'policy',
    gateways,
    (gateway) => gateway,
    async (gateway) => await tokenlessFacts(mesh, state, gateway),
  );
  return [...tokenless.map(checkTokenless), ...(await callFacts(looking, mesh, state)).map(checkCall)];
}

async function vaultChecks(looking: Looking, state: RunState): Promise<CheckResult[]> {
  const facts = await looking.at('vault', undefined, async () => await vaultFacts(state));
  if (facts !== undefined) return checkVault(facts);
  const [unseen] = looking.unseen.slice(-1);
  if (unseen !== undefined) looking.unseen.push({ ...unseen, group: 'keys', subject: 'tokenizer' });
  return [];
}

async function keyChecks(
  looking: Looking,
  mesh: Mesh,
  state: RunState,
  aws: AwsClients,
): Promise<CheckResult[]> {
  const keys = await looking.atEach(
    'keys',
    KMS_KEYS,
    (key) => key,
    async (key) => checkKmsKey(key, await kmsKeyState(aws, state, key)),
  );
  const tenants = await looking.atEach(
    'keys',
    [...vaultTenants(mesh)],
    (tenant) => tenant,
    async (tenant) => checkTenantKeys(await tenantKeyFacts(aws, state, tenant)),
  );
  return [...keys, ...tenants];
}

async function clockChecks(looking: Looking, state: RunState): Promise<CheckResult[]> {
  const nodes = await looking.atEach('clock', state.nodes, ({ name }) => name, nodeClock, 'at-once');
  const aws = await looking.at('clock', 'aws', async () => await awsClock(state));
  return [...nodes, ...(aws === undefined ? [] : [aws])].map(checkClock);
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
    serialServed: served.length > 0 && served.every((each) => each.servedSerial === each.issuedSerial),
    daysLeft: Math.floor(Math.min(...served.map((each) => each.daysLeft))),
    refused: refusals.filter((each) => each.listener === edge.to && each.outcome.outcome === 'refused')
      .length,
    ok: checks.filter((each) => subjects.includes(each.subject)).every((each) => each.ok),
  };
}
