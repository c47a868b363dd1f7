/**
 * Takes a node or a function out by its certificates, until they are rotated.
 *
 * The deny list first: it is what works at once. Then the CA, which is what lasts: its list reaches
 * every sidecar as soon as it is written, and refuses in the handshake.
 *
 * Needs `secretsmanager:GetSecretValue` on the node's certificate secrets, what `changeDenyList` needs,
 * `acm:DescribeCertificate`, and `acm-pca:RevokeCertificate` on the issuing CAs.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { RevokeCertificateCommand, type RevocationReason } from '@aws-sdk/client-acm-pca';
import { TokenmeshError } from '../errors/error.ts';
import type { CertificateRole, Mesh } from '../mesh/definition.ts';
import { listenerMode, memberOf } from '../mesh/edges.ts';
import { hierarchyOf } from '../mesh/identity.ts';
import { readCertificate } from '../pki/certificate.ts';
import { withDenied, type DeniedCertificate } from '../pki/revocation.ts';
import { announceCrls, changeDenyList } from '../renewal/adapters/deny-list.ts';
import { secretsManagerSource } from '../sidecar/envoy/adapters/secrets-manager-source.ts';
import type { AwsClients } from './aws-clients.ts';
import { sidecarStatus } from './facts/agent.ts';
import { functionCredentials } from './facts/functions.ts';
import { credentialsOf, probeListener } from './facts/listener.ts';
import type { Credentials } from './facts/probe.ts';
import { nodeState, type NodeState, type RunState } from './run-state.ts';
import { servedSerial } from './facts/served-serial.ts';

/** On AWS a CA takes up to half an hour for its list; the emulated one writes it at once. */
const REFUSED_DEADLINE_MS = 30_000;
const LOOK_EVERY_MS = 20;

export interface RevocationCommandParts {
  readonly mesh: Mesh;
  readonly state: RunState;
  readonly aws: AwsClients;
}

export interface Revocation {
  readonly node: string;
  readonly role: CertificateRole;
  readonly serials: readonly string[];
  /** From the command until the deny list was written. */
  readonly deniedMs: number;
  /** From the command until the CA had revoked. */
  readonly revokedMs: number;
  /** From the command until every listener refused: its requests for a client's certificate, else none. */
  readonly refusedMs?: number;
  /** From the command until every listener, or for a server's certificate every caller, refuses the handshake. */
  readonly handshakeRefusedMs: number;
}

/**
 * Revokes the certificates that a node serves in one role, and waits until they are refused everywhere.
 * May be repeated.
 *
 * @throws {TokenmeshError} `ERR_REVOCATION_NOT_RECORDED`, `ERR_REVOCATION_NOT_ENFORCED`, `ERR_NODE_RENEWS_ITSELF`
 */
export async function revokeCertificate(
  parts: RevocationCommandParts,
  nodeName: string,
  role: CertificateRole,
  reason: RevocationReason = 'KEY_COMPROMISE',
): Promise<Revocation> {
  const started = performance.now();
  const since = (): number => Math.round(performance.now() - started);
  const node = nodeName in parts.mesh.functions ? undefined : nodeState(parts.state, nodeName);
  if (node?.certificateSource === 'short-lived') throw issuesForItself(nodeName);
  const credentials = role === 'client' ? await credentialsFor(parts, nodeName, node) : undefined;
  const denied = await certificatesOf(parts, { nodeName, node, role });
  const serials = denied.map(({ serial }) => serial);
  await changeDenyList(
    parts.aws.secretsManager,
    parts.mesh.name,
    (list) => withDenied(list, denied, new Date()),
    (list) => serials.every((serial) => list.denied.some((each) => each.serial === serial)),
  );
  const deniedMs = since();
  const refusing = credentials === undefined ? undefined : untilRefused(parts, credentials, since);
  refusing?.catch(() => {});
  for (const serial of serials) await revokeAtCa(parts, role, serial, reason);
  const revokedMs = since();
  // The emulated CA has written its list by now; on AWS the event says when it has.
  await announceCrls(parts.aws.secretsManager, parts.mesh.name, new Date());
  const times = refusing === undefined ? await untilCallersRefuse(parts, serials, since) : await refusing;
  return { node: nodeName, role, serials, deniedMs, revokedMs, ...times };
}

async function credentialsFor(
  { mesh, state, aws }: RevocationCommandParts,
  nodeName: string,
  node: NodeState | undefined,
): Promise<Credentials> {
  if (node === undefined) return await functionCredentials(mesh, nodeName, aws.secretsManager);
  return await credentialsOf(state, nodeName);
}

/** Whose certificates are to be refused: of a function there is no node. */
interface Revoked {
  readonly nodeName: string;
  readonly node: NodeState | undefined;
  readonly role: CertificateRole;
}

/** What was published last, and what is really served where that is another. */
async function certificatesOf(
  { mesh, state, aws }: RevocationCommandParts,
  { nodeName, node, role }: Revoked,
): Promise<DeniedCertificate[]> {
  const source = secretsManagerSource(aws.secretsManager, mesh.name, nodeName);
  const { secret } = await source.certificate(role);
  const served = node === undefined ? undefined : await servedSerial(state, node, role);
  const expiresAt = readCertificate(secret.certificate).notAfter.toISOString();
  return [...new Set([secret.serial, ...(served === undefined ? [] : [served])])].map((serial) => ({
    serial,
    node: nodeName,
    role,
    revokedAt: new Date().toISOString(),
    expiresAt,
  }));
}

/** Asks each CA of the hierarchy: the one that issued it knows the serial. */
async function revokeAtCa(
  { state, aws }: RevocationCommandParts,
  role: CertificateRole,
  serial: string,
  reason: RevocationReason,
): Promise<void> {
  const authorities = state.cas.filter(({ name }) => name.startsWith(`${hierarchyOf(role)}-`)).toReversed();
  const refusals: string[] = [];
  for (const { arn } of authorities) {
    try {
      await aws.acmPca.send(
        new RevokeCertificateCommand({
          CertificateAuthorityArn: arn,
          CertificateSerial: colonSeparated(serial),
          RevocationReason: reason,
        }),
      );
      return;
    } catch (error) {
      const name = error instanceof Error ? error.name : String(error);
      if (name === 'RequestAlreadyProcessedException') return;
      refusals.push(name);
    }
  }
  throw notRecorded(serial, refusals);
}

/** To revoke what it holds would leave it out until it has the next one signed, a moment later. */
function issuesForItself(node: string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_NODE_RENEWS_ITSELF',
    message: `${node} has short-lived certificates: expected a node whose certificates ACM issues, got one that has its own signed anew`,
    remedy: `take acm-pca:IssueCertificate from the role of ${node} and stop its tasks: what they hold ends within its life, and docs/short-lived.md tells how to have it refused before`,
  });
}

/** As ACM Private CA wants it: whole bytes. */
function colonSeparated(serial: string): string {
  const whole = serial.length % 2 === 0 ? serial : `0${serial}`;
  return (whole.match(/../g) ?? []).join(':');
}

interface RefusalTimes {
  readonly refusedMs: number;
  readonly handshakeRefusedMs: number;
}

/** Connects to every listener anew, again and again. */
async function untilRefused(
  { mesh, state }: RevocationCommandParts,
  credentials: Credentials,
  since: () => number,
): Promise<RefusalTimes> {
  const listeners = state.nodes.filter(({ name }) => isMutual(mesh, name));
  const times = await Promise.all(
    listeners.map(async (node) => {
      let refusedMs: number | undefined;
      for (;;) {
        const outcome = await probeListener(state, node, credentials);
        const isOut = outcome.outcome === 'refused' || outcome.status === 403;
        if (isOut) refusedMs ??= since();
        if (outcome.outcome === 'refused')
          return { refusedMs: refusedMs ?? since(), handshakeRefusedMs: since() };
        if (since() > REFUSED_DEADLINE_MS) throw notEnforced(node.name, outcome.status);
        await sleep(LOOK_EVERY_MS);
      }
    }),
  );
  return {
    refusedMs: Math.max(...times.map((each) => each.refusedMs)),
    handshakeRefusedMs: Math.max(...times.map((each) => each.handshakeRefusedMs)),
  };
}

/** A server is refused by those who call: each sidecar says which lists its Envoy checks against. */
async function untilCallersRefuse(
  { state }: RevocationCommandParts,
  serials: readonly string[],
  since: () => number,
): Promise<{ handshakeRefusedMs: number }> {
  await Promise.all(
    state.nodes.map(async (node) => {
      while (!(await checksAgainst(node, serials))) {
        if (since() > REFUSED_DEADLINE_MS) throw notEnforced(node.name, 'a CRL without the serial');
        await sleep(LOOK_EVERY_MS);
      }
    }),
  );
  return { handshakeRefusedMs: since() };
}

async function checksAgainst(node: NodeState, serials: readonly string[]): Promise<boolean> {
  const status = await sidecarStatus(node.agentSocket);
  const trust = status?.trust.find(({ hierarchy }) => hierarchy === 'servers');
  return trust?.isCrlChecked === true && serials.every((serial) => trust.crlSerials.includes(serial));
}

function isMutual(mesh: Mesh, nodeName: string): boolean {
  const member = memberOf(mesh, nodeName);
  return member !== undefined && listenerMode(member.listener) === 'mtls';
}

function notRecorded(serial: string, refusals: readonly string[]): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_REVOCATION_NOT_RECORDED',
    message: `serial ${serial.slice(0, 8)}... is on the deny list, and not revoked at its CA: expected one CA of the hierarchy to take it, got ${refusals.join(', ') || 'no CA to ask'}`,
    remedy:
      'see that the CA is ACTIVE and that acm-pca:RevokeCertificate is granted, then run the command again',
  });
}

function notEnforced(node: string, found: number | string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_REVOCATION_NOT_ENFORCED',
    message: `the revoked certificate is not refused by ${node}: expected a refusal within ${REFUSED_DEADLINE_MS / 1000} s, got ${found}`,
    remedy: `see the log of ${node}'s sidecar, and npm run mesh -- verify; the certificate stays revoked`,
  });
}
