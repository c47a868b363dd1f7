import { setTimeout as sleep } from 'node:timers/promises';
import type { CertificateRole, SecretDelivery } from '../../mesh/definition.ts';
import type { HandedEnvoy } from '../handed-envoy.ts';
import type { PublishedCertificate } from './twins.ts';

export interface SwapTarget {
  readonly node: 'order' | 'tokenizer';
  readonly role: CertificateRole;
}

export interface Swaps extends SwapTarget {
  readonly delivery: SecretDelivery;
  readonly swaps: number;
  /** From each swap to the end of the first new handshake that showed the new serial, where one did before the next swap. */
  readonly seenMs: readonly number[];
}

/** So that the looking does not take the machine from what is looked at. */
const LOOK_EVERY_MS = 2;

/**
 * Hands the two over in turn, each when its time has come.
 *
 * @throws {Error} where Envoy refuses one.
 */
export async function swapInTurn(
  envoy: HandedEnvoy,
  role: CertificateRole,
  turns: readonly [PublishedCertificate, PublishedCertificate],
  { count, everyMs }: { readonly count: number; readonly everyMs: number },
): Promise<number[]> {
  const seenMs: number[] = [];
  const begun = performance.now();
  for (let swap = 0; swap < count; swap += 1) {
    const { material, serial } = turns[swap % 2 === 0 ? 0 : 1];
    const [started, next] = [performance.now(), begun + (swap + 1) * everyMs];
    const put = envoy.put(role, material);
    const seen = await firstSeen(envoy, role, serial, next);
    if (seen !== undefined) seenMs.push(seen - started);
    const { outcome } = await put;
    if (outcome === 'refused') throw new Error(`Envoy refused the ${role} certificate of a swap`);
    await sleep(Math.max(0, next - performance.now()));
  }
  return seenMs;
}

async function firstSeen(
  envoy: HandedEnvoy,
  role: CertificateRole,
  serial: string,
  until: number,
): Promise<number | undefined> {
  while (performance.now() < until) {
    if ((await envoy.servedSerial(role)) === serial) return performance.now();
    await sleep(LOOK_EVERY_MS);
  }
  return undefined;
}
