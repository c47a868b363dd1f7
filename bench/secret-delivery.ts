/**
 * How long a new certificate takes from the sidecar's hand to the first handshake that shows it, as a
 * file and from memory: docs/decisions/0015-sds-from-memory.md.
 *
 * @module
 */

import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SecretDelivery } from '../mesh/definition.ts';
import type { TlsCertificateSecret } from '../mesh/envoy/sds.ts';
import { tokenizationMesh } from '../mesh/tokenization-mesh.ts';
import { normalizeSerial } from '../pki/secret.ts';
import { envoyBinary, startHandedEnvoy, type HandedEnvoy } from './handed-envoy.ts';
import { createBenchPki, type BenchPki } from './mesh/pki.ts';
import { median } from './mesh/statistics.ts';

const NODE = 'order';
const ROTATIONS = 20;
const WARM_UP = 3;
const DEADLINE_MS = 10_000;
/** From the swap, or the push, to the first new handshake. */
const GOAL_MS = 50;

const print = (text: string): void => void process.stdout.write(`${text}\n`);

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
  const subjects: [SecretDelivery, HandedEnvoy][] = [];
  try {
    for (const delivery of ['file', 'sds'] as const) {
      const certificates = { client: await pki.leaf(NODE, 'client'), server: await pki.leaf(NODE, 'server') };
      const envoy = await startHandedEnvoy({
        ...{ mesh: tokenizationMesh, node: NODE, delivery, binary },
        ...{ directory: join(directory, delivery), certificates, roots: pki.roots },
      });
      subjects.push([delivery, envoy]);
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
  subjects: readonly [SecretDelivery, HandedEnvoy][],
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

async function rotate(envoy: HandedEnvoy, pki: BenchPki): Promise<Taken> {
  const material = await pki.leaf(NODE, 'server');
  const serial = serialOf(material);
  const started = performance.now();
  const put = envoy.put('server', material).then(() => performance.now() - started);
  while ((await envoy.servedSerial('server')) !== serial) {
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
