import { setTimeout as sleep } from 'node:timers/promises';
import type { CertificateRole, Hierarchy } from '../../mesh/definition.ts';
import { rolloverPorts } from '../../operator/ca/command.ts';
import { rollOver } from '../../operator/ca/rollover.ts';
import { rotateCertificate, type Rotation } from '../../operator/rotate.ts';
import { createQuietLogger } from '../../runtime/log.ts';
import type { CertificateBenchParts } from './certificates-bench.ts';
import { AFTER_A_CHANGE_MS, type During } from './phase.ts';
import type { SwapTarget } from './swaps.ts';

const ROLLOVER_WAIT_MS = 120_000;
const SAY_EVERY = 10;

export interface TimedRollover {
  readonly hierarchy: Hierarchy;
  readonly ms: number;
}

/** From ACM to Envoy, each after the one before is served. */
export async function rotateInTurn(
  parts: CertificateBenchParts,
  targets: readonly SwapTarget[],
  during: During,
): Promise<Rotation[]> {
  const done: Rotation[] = [];
  for (let round = 1; round <= parts.plan.rotations; round += 1) {
    for (const { node, role } of targets) {
      parts.signal.throwIfAborted();
      done.push(await during(`rotation of ${node} ${role}`, async () => await rotate(parts, node, role)));
      await sleep(AFTER_A_CHANGE_MS);
    }
    if (round % SAY_EVERY === 0) parts.say(`${done.length} rotations`);
  }
  return done;
}

export async function rotate(
  { mesh, run, state }: CertificateBenchParts,
  node: string,
  role: CertificateRole,
): Promise<Rotation> {
  const logger = createQuietLogger('bench');
  return await rotateCertificate({ mesh, state: state(), aws: run.aws, logger }, node, role);
}

export async function rollOverAll(parts: CertificateBenchParts, during: During): Promise<TimedRollover[]> {
  const { mesh, run, plan, state, writeState, signal, say } = parts;
  const done: TimedRollover[] = [];
  for (const hierarchy of plan.rollovers) {
    signal.throwIfAborted();
    say(`rollover of ${hierarchy}`);
    const at = performance.now();
    const ports = rolloverPorts({ mesh, runningMesh: state, writeState }, run.aws, () => {});
    await during(`rollover of ${hierarchy}`, async () => {
      await rollOver(ports, hierarchy, { waitMs: ROLLOVER_WAIT_MS });
    });
    done.push({ hierarchy, ms: performance.now() - at });
  }
  return done;
}
