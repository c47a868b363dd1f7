import { revokeCertificate, type Revocation } from '../../operator/revoke.ts';
import type { Rotation } from '../../operator/rotate.ts';
import type { CertificateBenchParts } from './certificates-bench.ts';
import { rotate } from './rotations.ts';

const NODE = 'order';

export interface Revocations {
  readonly revocations: readonly Revocation[];
  /** Each brought the node back; with no load. */
  readonly rotations: readonly Rotation[];
}

/** Takes a caller out and brings it back, again and again. Without load: its requests are to be refused. */
export async function revokeInTurn(parts: CertificateBenchParts): Promise<Revocations> {
  const { mesh, run, state, plan, say, signal } = parts;
  const revocations: Revocation[] = [];
  const rotations: Rotation[] = [];
  for (let round = 1; round <= plan.revocations; round += 1) {
    signal.throwIfAborted();
    revocations.push(await revokeCertificate({ mesh, state: state(), aws: run.aws }, NODE, 'client'));
    rotations.push(await rotate(parts, NODE, 'client'));
    if (round % 10 === 0) say(`${round} of ${plan.revocations} revocations`);
  }
  return { revocations, rotations };
}
