/**
 * Swaps straight to Envoy's files, one after the other, faster than any agent would.
 *
 * @module
 */

import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { CertificateRole } from '../../mesh/definition.ts';
import { sdsFileName, tlsCertificateSdsFile } from '../../mesh/envoy/sds.ts';
import { servedSerial } from '../../operator/facts/served-serial.ts';
import { nodeState, type RunState } from '../../operator/run-state.ts';
import { watchedFiles } from '../../sidecar/envoy/adapters/watched-files.ts';
import { secretsManagerSource } from '../../sidecar/envoy/adapters/secrets-manager-source.ts';
import type { DeliveredCertificate } from '../../sidecar/envoy/cert-agent/ports.ts';

export interface SwapTarget {
  readonly node: string;
  readonly role: CertificateRole;
}

export interface Swaps extends SwapTarget {
  readonly swaps: number;
  /** From each swap to the end of the first new handshake that showed the new serial, where one did before the next swap. */
  readonly seenMs: readonly number[];
}

/** What the node is given to use now. */
export async function delivered(
  client: SecretsManagerClient,
  meshName: string,
  { node, role }: SwapTarget,
): Promise<DeliveredCertificate> {
  return await secretsManagerSource(client, meshName, node).certificate(role);
}

/**
 * Moves the two in turn over the file that Envoy watches. An even count ends with the second one, which
 * must be what the agent has handed over.
 */
export async function swapInTurn(
  state: RunState,
  target: SwapTarget,
  turns: readonly [DeliveredCertificate, DeliveredCertificate],
  { count, everyMs }: { readonly count: number; readonly everyMs: number },
): Promise<Swaps> {
  const node = nodeState(state, target.node);
  const home = dirname(node.agentSocket);
  const files = await watchedFiles(join(home, 'secrets'), join(home, 'bench-staging'));
  const seenMs: number[] = [];
  for (let swap = 0; swap < count; swap += 1) {
    const next = turns[swap % 2 === 0 ? 0 : 1];
    const started = performance.now();
    await files.swap(sdsFileName(target.role), JSON.stringify(fileOf(target.role, next)));
    while (performance.now() - started < everyMs) {
      if ((await servedSerial(state, node, target.role)) === next.secret.serial) {
        seenMs.push(performance.now() - started);
        break;
      }
    }
    await sleep(Math.max(0, everyMs - (performance.now() - started)));
  }
  return { ...target, swaps: count, seenMs };
}

function fileOf(role: CertificateRole, { secret, passphrase }: DeliveredCertificate): unknown {
  return tlsCertificateSdsFile(role, {
    certificateChain: `${secret.certificate.trim()}\n${secret.chain.trim()}\n`,
    encryptedPrivateKey: secret.encryptedPrivateKey,
    passphrase: passphrase.reveal(),
  });
}
