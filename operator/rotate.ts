import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeCertificateCommand } from '@aws-sdk/client-acm';
import { TokenmeshError } from '../errors/error.ts';
import type { CertificateRole, Mesh } from '../mesh/definition.ts';
import { normalizeSerial } from '../pki/secret.ts';
import { ROTATION_REQUESTED } from '../renewal/event.ts';
import { createHandler } from '../renewal/handler.ts';
import type { Logger } from '../runtime/log.ts';
import type { AwsClients } from './aws-clients.ts';
import { isFunctionTaken, publishedFor } from './facts/functions.ts';
import { servedSerial } from './facts/served-serial.ts';
import { writeIdentityFiles } from './identities.ts';
import { nodeState, type RunState } from './run-state.ts';

/** After its publication; a sidecar looks every second, and a swap takes milliseconds. */
const SERVED_DEADLINE_MS = 60_000;

export interface Rotation {
  readonly node: string;
  readonly role: CertificateRole;
  readonly serialBefore: string;
  readonly serialAfter: string;
  /** From the command until the renewal function had issued and published the successor. */
  readonly publishedMs: number;
  /** From the command until a new connection showed the new serial, or a function's listeners took it. */
  readonly servedMs: number;
}

export interface RotationParts {
  readonly mesh: Mesh;
  readonly state: RunState;
  readonly aws: AwsClients;
  readonly logger: Logger;
}

/**
 * Renews one certificate and waits until a new connection shows it.
 *
 * The renewal function is given the event that EventBridge would give it; nothing but the secret
 * tells the sidecar.
 *
 * A function is no process that could be asked: its listeners are, whether they take what is published for it.
 *
 * @throws {TokenmeshError} `ERR_ROTATION_NOT_SERVED`, `ERR_NODE_RENEWS_ITSELF`
 */
export async function rotateCertificate(
  parts: RotationParts,
  nodeName: string,
  role: CertificateRole,
): Promise<Rotation> {
  const owner =
    nodeName in parts.mesh.functions
      ? await functionOwner(parts, nodeName)
      : nodeOwner(parts, nodeName, role);
  const started = Date.now();
  const { serialBefore, serialAfter } = await renew(parts, {
    nodeName,
    role,
    certificateArn: owner.certificateArn,
  });
  const publishedMs = Date.now() - started;
  while (!(await owner.serves(serialAfter))) {
    if (Date.now() - started - publishedMs > SERVED_DEADLINE_MS) throw notServed(nodeName, role);
    await sleep(20);
  }
  const servedMs = Date.now() - started;
  await writeIdentityFiles(parts.state, parts.mesh.name, parts.aws.secretsManager);
  return { node: nodeName, role, serialBefore, serialAfter, publishedMs, servedMs };
}

/** Whose certificate it is. */
interface Owner {
  readonly certificateArn: string;
  readonly serves: (serial: string) => Promise<boolean>;
}

function nodeOwner({ state }: RotationParts, nodeName: string, role: CertificateRole): Owner {
  const node = nodeState(state, nodeName);
  if (node.certificateSource === 'short-lived') throw renewsItself(nodeName);
  return {
    certificateArn: node.certificateArns[role],
    serves: async (serial) => (await servedSerial(state, node, role)) === serial,
  };
}

async function functionOwner(parts: RotationParts, name: string): Promise<Owner> {
  const { mesh, aws } = parts;
  const published = async () => await publishedFor(mesh, name, aws.secretsManager);
  return {
    certificateArn: (await published()).certificateArn,
    serves: async (serial) => (await published()).serial === serial && (await isFunctionTaken(parts, name)),
  };
}

interface RenewalWish {
  readonly nodeName: string;
  readonly role: CertificateRole;
  readonly certificateArn: string;
}

async function renew(
  { mesh, aws, logger }: RotationParts,
  { nodeName, role, certificateArn }: RenewalWish,
): Promise<{ serialBefore: string; serialAfter: string }> {
  const handler = createHandler({
    acm: aws.acm,
    secretsManager: aws.secretsManager,
    meshName: mesh.name,
    clock: () => new Date(),
    sleep: async (ms) => await sleep(ms),
    random: Math.random,
    logger,
  });
  const found = await aws.acm.send(new DescribeCertificateCommand({ CertificateArn: certificateArn }));
  const report = await handler({
    source: ROTATION_REQUESTED.source,
    'detail-type': ROTATION_REQUESTED.detailType,
    resources: [certificateArn],
    // Names the one that is to go, so that an event that comes twice renews once.
    detail: { expectedSerial: normalizeSerial(found.Certificate?.Serial ?? '') },
  });
  const result = report.results[0];
  if (result?.serialAfter === undefined) throw notPublished(nodeName, role);
  return {
    serialBefore: normalizeSerial(result.serialBefore ?? ''),
    serialAfter: normalizeSerial(result.serialAfter),
  };
}

function renewsItself(node: string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_NODE_RENEWS_ITSELF',
    message: `${node} has short-lived certificates: expected a node whose certificates ACM issues, got one that renews its own`,
    remedy: `wait for the time that npm run mesh -- verify tells, or start the task of ${node} again: it begins with a new key`,
  });
}

function notPublished(node: string, role: CertificateRole): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_ROTATION_NOT_PUBLISHED',
    message: `${node}'s ${role} certificate was not renewed: expected the renewal function to publish a new serial, got none`,
    remedy: 'see that the certificate in ACM carries the tags of the mesh, then run the command again',
  });
}

function notServed(node: string, role: CertificateRole): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_ROTATION_NOT_SERVED',
    message: `${node}'s ${role} certificate was not rotated: expected the new serial on new connections within ${SERVED_DEADLINE_MS / 1000} s`,
    remedy: `see the log of ${node}'s sidecar, then run the command again: it takes up where this one stopped`,
  });
}
