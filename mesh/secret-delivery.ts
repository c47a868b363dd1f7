import type { Mesh, SecretDelivery } from './definition.ts';
import { memberOf } from './edges.ts';

export const SECRET_DELIVERIES: readonly SecretDelivery[] = ['sds', 'file'];

/** How the sidecar of a node hands its secrets to Envoy: as the node says, or else as the mesh does. */
export function secretDeliveryOf(mesh: Mesh, nodeName: string): SecretDelivery {
  return memberOf(mesh, nodeName)?.secretDelivery ?? mesh.secretDelivery ?? 'sds';
}
