/**
 * The bench `certificates`: rotations, swaps and rollovers of a whole mesh under load, with every request
 * counted by who sent it; and how long it takes until a revoked certificate is refused.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { MeshRun } from '../../local/mesh-run.ts';
import type { Hierarchy, Mesh, SecretDelivery } from '../../mesh/definition.ts';
import { servedSerial } from '../../operator/facts/served-serial.ts';
import { writeIdentityFiles } from '../../operator/identities.ts';
import type { Rotation } from '../../operator/rotate.ts';
import { nodeState, type RunState } from '../../operator/run-state.ts';
import { targetOf } from './lanes.ts';
import { underLoad, type Phase } from './phase.ts';
import { revokeInTurn, type Revocations } from './revocations.ts';
import { rollOverAll, rotate, rotateInTurn, type TimedRollover } from './rotations.ts';
import { swapInTurn, type Swaps, type SwapTarget } from './swaps.ts';
import { published, startTwins, type PublishedCertificate } from './twins.ts';

/** A caller's and a listener's certificate, both of the edge that the load goes over. */
const TARGETS: readonly SwapTarget[] = [
  { node: 'tokenizer', role: 'server' },
  { node: 'order', role: 'client' },
];

export interface CertificatePlan {
  /** Of each of the two certificates. */
  readonly rotations: number;
  readonly swaps: number;
  readonly swapEveryMs: number;
  readonly rollovers: readonly Hierarchy[];
  readonly revocations: number;
  readonly requestsPerSecond: number;
  /** With nothing changing, before and after. */
  readonly quietMs: number;
}

export const FULL_PLAN: CertificatePlan = {
  rotations: 50,
  swaps: 100,
  swapEveryMs: 100,
  rollovers: ['clients', 'servers'],
  revocations: 20,
  requestsPerSecond: 500,
  quietMs: 10_000,
};

export const QUICK_PLAN: CertificatePlan = {
  ...FULL_PLAN,
  rotations: 2,
  swaps: 10,
  rollovers: ['clients'],
  revocations: 2,
  quietMs: 1_000,
};

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

export interface CertificateBenchResult extends Revocations {
  readonly phases: readonly Phase[];
  readonly rotationsUnderLoad: readonly Rotation[];
  readonly rollovers: readonly TimedRollover[];
  readonly swaps: readonly Swaps[];
}

/** Changes certificates as the plan says. Never throws for a request that failed: it counts it. */
export async function runCertificateBench(parts: CertificateBenchParts): Promise<CertificateBenchResult> {
  const { mesh, run, plan, state } = parts;
  await writeIdentityFiles(state(), mesh.name, run.aws.secretsManager);
  const wish = { target: targetOf(state()), ...plan };
  const turns = new Map<SwapTarget, [PublishedCertificate, PublishedCertificate]>();
  const rotating = await underLoad({ name: 'rotations', ...wish }, async (during) => {
    return await rotateInTurn(parts, TARGETS, during);
  });
  const rolling = await underLoad({ name: 'rollovers', ...wish }, async (during) => {
    return await rollOverAll(parts, during);
  });
  for (const target of TARGETS) turns.set(target, await twoCertificates(parts, target));
  const swapping = [await swapUnderLoad(parts, 'sds', turns), await swapUnderLoad(parts, 'file', turns)];
  return {
    phases: [rotating.phase, rolling.phase, ...swapping.map(({ phase }) => phase)],
    rotationsUnderLoad: rotating.result,
    rollovers: rolling.result,
    swaps: swapping.flatMap(({ result }) => result),
    ...(await revokeInTurn(parts)),
  };
}

/** Two certificates of the node, both of which its peers take. */
async function twoCertificates(
  parts: CertificateBenchParts,
  { node, role }: SwapTarget,
): Promise<[PublishedCertificate, PublishedCertificate]> {
  const source = { mesh: parts.mesh, secretsManager: parts.run.aws.secretsManager };
  const before = await published(source, node, role);
  await rotate(parts, node, role);
  return [before, await published(source, node, role)];
}

async function swapUnderLoad(
  { mesh, run, plan, state, signal, say }: CertificateBenchParts,
  delivery: SecretDelivery,
  turns: ReadonlyMap<SwapTarget, [PublishedCertificate, PublishedCertificate]>,
): Promise<{ phase: Phase; result: Swaps[] }> {
  const { secretsManager } = run.aws;
  const twins = await startTwins({ mesh, state: state(), secretsManager }, delivery);
  const pace = { count: plan.swaps, everyMs: plan.swapEveryMs };
  try {
    return await underLoad(
      { name: `swaps by ${delivery}`, target: twins.target, ...plan },
      async (during) => {
        const done: Swaps[] = [];
        for (const [target, pair] of turns) {
          signal.throwIfAborted();
          const what = `${plan.swaps} swaps of ${target.node} ${target.role} by ${delivery}`;
          say(what);
          const envoy = twins.byNode[target.node];
          const seenMs = await during(what, async () => await swapInTurn(envoy, target.role, pair, pace));
          done.push({ ...target, delivery, swaps: plan.swaps, seenMs });
          await sleep(plan.quietMs);
        }
        return done;
      },
    );
  } finally {
    await twins.stop();
  }
}

/** Whether the mesh still shows what was handed over last: the load ends, and nothing is left half done. */
export async function showsWhatIsPublished({ mesh, run, state }: CertificateBenchParts): Promise<boolean> {
  const source = { mesh, secretsManager: run.aws.secretsManager };
  const shown = await Promise.all(
    TARGETS.map(async ({ node, role }) => {
      const { serial } = await published(source, node, role);
      return (await servedSerial(state(), nodeState(state(), node), role)) === serial;
    }),
  );
  return shown.every(Boolean);
}
