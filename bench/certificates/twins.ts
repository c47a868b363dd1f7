/**
 * A second Envoy of order and a second one of the tokenizer, in front of the same apps, whose secrets the
 * bench hands over: a sidecar looks for new ones once a second, and swaps are wanted ten times as often.
 *
 * @module
 */

import { join } from 'node:path';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { CertificateRole, Mesh, SecretDelivery } from '../../mesh/definition.ts';
import type { TlsCertificateSecret } from '../../mesh/envoy/sds.ts';
import type { Placement } from '../../mesh/envoy/types.ts';
import { nodeState, type RunState } from '../../operator/run-state.ts';
import { secretsManagerSource } from '../../sidecar/envoy/adapters/secrets-manager-source.ts';
import { envoyBinary, startHandedEnvoy, type HandedEnvoy } from '../handed-envoy.ts';
import { targetOf, type LoadTarget } from './lanes.ts';

export interface TwinParts {
  readonly mesh: Mesh;
  readonly state: RunState;
  readonly secretsManager: SecretsManagerClient;
}

export interface Twins {
  readonly byNode: Readonly<Record<'order' | 'tokenizer', HandedEnvoy>>;
  readonly target: LoadTarget;
  stop(): Promise<void>;
}

export interface PublishedCertificate {
  readonly serial: string;
  readonly material: TlsCertificateSecret;
}

/** What the node is given to use now. */
export async function published(
  { mesh, secretsManager }: Omit<TwinParts, 'state'>,
  node: string,
  role: CertificateRole,
): Promise<PublishedCertificate> {
  const source = secretsManagerSource(secretsManager, mesh.name, node);
  const { secret, passphrase } = await source.certificate(role);
  return {
    serial: secret.serial,
    material: {
      certificateChain: `${secret.certificate.trim()}\n${secret.chain.trim()}\n`,
      encryptedPrivateKey: secret.encryptedPrivateKey,
      passphrase: passphrase.reveal(),
    },
  };
}

export async function startTwins(parts: TwinParts, delivery: SecretDelivery): Promise<Twins> {
  const tokenizer = await startTwin(parts, 'tokenizer', delivery);
  try {
    const endpoints = { tokenizer: tokenizer.placement.listener };
    const order = await startTwin(parts, 'order', delivery, { endpoints });
    return {
      byNode: { order, tokenizer },
      target: {
        ...targetOf(parts.state),
        orderEgress: order.placement.egressSocket,
        tokenizerEgress: tokenizer.placement.egressSocket,
        tokenizerListener: tokenizer.placement.listener,
      },
      async stop() {
        await order.stop();
        await tokenizer.stop();
      },
    };
  } catch (error) {
    await tokenizer.stop();
    throw error;
  }
}

/** It lives in the folder of the run, which goes with it. */
async function startTwin(
  parts: TwinParts,
  node: string,
  delivery: SecretDelivery,
  placement: Pick<Partial<Placement>, 'endpoints'> = {},
): Promise<HandedEnvoy> {
  const { mesh, state, secretsManager } = parts;
  const { appSocket } = nodeState(state, node);
  const source = secretsManagerSource(secretsManager, mesh.name, node);
  const [clients, servers] = await Promise.all([source.trust('clients'), source.trust('servers')]);
  return await startHandedEnvoy({
    ...{ mesh, node, delivery, binary: await envoyBinary() },
    directory: join(state.directory, 'twins', `${node}-${delivery}`),
    certificates: {
      client: (await published(parts, node, 'client')).material,
      server: (await published(parts, node, 'server')).material,
    },
    roots: { clients: clients.roots, servers: servers.roots },
    placement: { ...placement, ...(appSocket === undefined ? {} : { appSocket }) },
  });
}
