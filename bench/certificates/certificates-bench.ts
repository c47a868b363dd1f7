/**
 * The bench `certificates`: rotations, swaps and rollovers of a whole mesh under load, with every request
 * counted by who sent it.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Hierarchy, Mesh } from '../../mesh/definition.ts';
import type { MeshRun } from '../../local/mesh-run.ts';
import { rolloverPorts } from '../../operator/ca/command.ts';
import { rollOver } from '../../operator/ca/rollover.ts';
import { servedSerial } from '../../operator/facts/served-serial.ts';
import { writeIdentityFiles } from '../../operator/identities.ts';
import { rotateCertificate, type Rotation } from '../../operator/rotate.ts';
import { nodeState, type RunState } from '../../operator/run-state.ts';
import { createQuietLogger } from '../../runtime/log.ts';
import { lanesOf } from './lanes.ts';
import { startCertificateLoad } from './load.ts';
import { delivered, swapInTurn, type Swaps, type SwapTarget } from './swaps.ts';
import { judgeLane, type LaneResult, type Window } from './windows.ts';

/** A caller's and a listener's certificate, both of the edge that the load goes over. */
const TARGETS: readonly SwapTarget[] = [
  { node: 'tokenizer', role: 'server' },
  { node: 'order', role: 'client' },
];

/** Its effect on latency ends with the handshakes that it made necessary. */
const AFTER_A_CHANGE_MS = 300;
const ROLLOVER_WAIT_MS = 120_000;

export interface CertificatePlan {
  /** Of each of the two certificates. */
  readonly rotations: number;
  readonly swaps: number;
  readonly swapEveryMs: number;
  readonly rollovers: readonly Hierarchy[];
  readonly requestsPerSecond: number;
  /** With nothing changing, before and between. */
  readonly quietMs: number;
}

export const FULL_PLAN: CertificatePlan = {
  rotations: 50,
  swaps: 100,
  swapEveryMs: 100,
  rollovers: ['clients', 'servers'],
  requestsPerSecond: 500,
  quietMs: 15_000,
};

export const QUICK_PLAN: CertificatePlan = { ...FULL_PLAN, rotations: 2, swaps: 10, quietMs: 1_000 };

export interface CertificateBenchParts {
  readonly mesh: Mesh;
  readonly run: MeshRun;
  readonly plan: CertificatePlan;
  /** The state of the moment: a rollover changes it. */
  readonly state: () => RunState;
  readonly writeState: (state: RunState) => void;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

export interface CertificateBenchResult {
  readonly lanes: readonly LaneResult[];
  readonly rotations: readonly Rotation[];
  readonly swaps: readonly Swaps[];
  readonly rollovers: readonly { readonly hierarchy: Hierarchy; readonly ms: number }[];
  readonly windows: readonly Window[];
  readonly seconds: number;
}

/** Changes certificates as the plan says, under load. Never throws for a request that failed: it counts it. */
export async function runCertificateBench(parts: CertificateBenchParts): Promise<CertificateBenchResult> {
  const { mesh, run, plan } = parts;
  await writeIdentityFiles(parts.state(), mesh.name, run.aws.secretsManager);
  const started = performance.now();
  const load = await startCertificateLoad(lanesOf(parts.state(), plan.requestsPerSecond));
  const windows: Window[] = [];
  const during = windowed(windows);
  try {
    await sleep(plan.quietMs);
    const rotations = await rotateInTurn(parts, during);
    await sleep(plan.quietMs);
    const swaps: Swaps[] = [];
    for (const target of TARGETS) swaps.push(await swapOne(parts, target, during));
    await sleep(plan.quietMs);
    const rollovers: { hierarchy: Hierarchy; ms: number }[] = [];
    for (const hierarchy of plan.rollovers) {
      parts.signal.throwIfAborted();
      parts.say(`rollover of ${hierarchy}`);
      const at = performance.now();
      await during(`rollover of ${hierarchy}`, async () => await rollOverOne(parts, hierarchy));
      rollovers.push({ hierarchy, ms: performance.now() - at });
    }
    await sleep(plan.quietMs);
    const samples = await load.stop();
    const seconds = (performance.now() - started) / 1000;
    const lanes = samples.map((each) => judgeLane(each, windows, seconds));
    return { lanes, rotations, swaps, rollovers, windows, seconds };
  } finally {
    load.kill();
  }
}

type During = <Result>(what: string, work: () => Promise<Result>) => Promise<Result>;

function windowed(windows: Window[]): During {
  return async (what, work) => {
    const from = Date.now();
    try {
      return await work();
    } finally {
      await sleep(AFTER_A_CHANGE_MS);
      windows.push({ what, from, to: Date.now() });
    }
  };
}

async function rotateInTurn(parts: CertificateBenchParts, during: During): Promise<Rotation[]> {
  const done: Rotation[] = [];
  for (let round = 0; round < parts.plan.rotations; round += 1) {
    for (const { node, role } of TARGETS) {
      parts.signal.throwIfAborted();
      const rotation = await during(
        `rotation of ${node} ${role}`,
        async () => await rotate(parts, node, role),
      );
      done.push(rotation);
      await sleep(AFTER_A_CHANGE_MS);
    }
    parts.say(`${done.length} of ${parts.plan.rotations * TARGETS.length} rotations`);
  }
  return done;
}

async function rotate(
  { mesh, run, state }: CertificateBenchParts,
  node: string,
  role: SwapTarget['role'],
): Promise<Rotation> {
  const logger = createQuietLogger('bench');
  return await rotateCertificate({ mesh, state: state(), aws: run.aws, logger }, node, role);
}

/** Two certificates of the node, both of which its peers take, in turn. */
async function swapOne(parts: CertificateBenchParts, target: SwapTarget, during: During): Promise<Swaps> {
  const { mesh, run, plan } = parts;
  parts.signal.throwIfAborted();
  parts.say(`${plan.swaps} swaps of ${target.node} ${target.role}`);
  const { secretsManager } = run.aws;
  const before = await delivered(secretsManager, mesh.name, target);
  await rotate(parts, target.node, target.role);
  const after = await delivered(secretsManager, mesh.name, target);
  return await during(`swaps of ${target.node} ${target.role}`, async () =>
    swapInTurn(parts.state(), target, [before, after], { count: plan.swaps, everyMs: plan.swapEveryMs }),
  );
}

async function rollOverOne(parts: CertificateBenchParts, hierarchy: Hierarchy): Promise<void> {
  const { mesh, run, state, writeState } = parts;
  const ports = rolloverPorts({ mesh, runningMesh: state, writeState }, run.aws, () => {});
  await rollOver(ports, hierarchy, { waitMs: ROLLOVER_WAIT_MS });
}

/** Whether the mesh still shows what was handed over last: the load ends, and nothing is left half done. */
export async function showsWhatIsPublished({ mesh, run, state }: CertificateBenchParts): Promise<boolean> {
  const shown = await Promise.all(
    TARGETS.map(async (target) => {
      const { secret } = await delivered(run.aws.secretsManager, mesh.name, target);
      const node = nodeState(state(), target.node);
      return (await servedSerial(state(), node, target.role)) === secret.serial;
    }),
  );
  return shown.every(Boolean);
}
