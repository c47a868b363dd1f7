import { TokenmeshError } from '../../errors/error.ts';
import type { Mesh } from '../definition.ts';
import { memberOf } from '../edges.ts';
import { nodeNames } from '../identity.ts';
import { secretDeliveryOf } from '../secret-delivery.ts';
import { adminInterface } from './admin.ts';
import { guardOf } from './guard.ts';
import { inboundListener } from './inbound.ts';
import { appCluster, backendCluster, egressListener, peerCheckCluster, tracesCluster } from './outbound.ts';
import { placedNode, sdsCluster } from './sds.ts';
import type { EnvoyJson, Placement } from './types.ts';

/**
 * Renders the whole configuration of one node's Envoy from the definition: pure, and complete, so
 * that no control plane has to run.
 *
 * @throws {TokenmeshError} `ERR_NODE_UNKNOWN` or `ERR_ENDPOINT_MISSING`.
 */
export function renderBootstrap(mesh: Mesh, nodeName: string, placement: Placement): EnvoyJson {
  const member = memberOf(mesh, nodeName);
  if (member === undefined) {
    throw new TokenmeshError({
      code: 'ERR_NODE_UNKNOWN',
      message: `unknown node "${nodeName}": expected one of ${nodeNames(mesh).join(', ')}`,
      remedy: 'correct the name, or add the node to the definition of the mesh',
    });
  }
  const placed = placedNode(mesh, nodeName, placement);
  const { appSocket } = placement;
  const guard = guardOf(mesh, mesh.virtualGateways[nodeName], placement);
  const peerCheck = peerCheckCluster(mesh, nodeName, placed);
  return {
    node: { id: nodeName, cluster: mesh.name },
    admin: adminInterface(placement.admin),
    overload_manager: OVERLOAD_MANAGER,
    static_resources: {
      listeners: [
        inboundListener(mesh, nodeName, member.listener, placed, guard),
        egressListener(mesh, nodeName, member.backends, placed, peerCheck !== undefined),
      ],
      clusters: [
        ...(secretDeliveryOf(mesh, nodeName) === 'sds' ? [sdsCluster(placement.sdsSocket)] : []),
        ...(appSocket === undefined ? [] : [appCluster(appSocket)]),
        ...member.backends.map((backend) => backendCluster(mesh, backend, placed)),
        ...(peerCheck === undefined ? [] : [peerCheck]),
        ...guard.clusters,
        ...(placement.traces === undefined ? [] : [tracesCluster(mesh, placement.traces)]),
      ],
    },
  };
}

/** Connections past the limit are closed at once, rather than costing memory that the others need. */
const OVERLOAD_MANAGER: EnvoyJson = {
  resource_monitors: [
    {
      name: 'envoy.resource_monitors.global_downstream_max_connections',
      typed_config: {
        '@type':
          'type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig',
        max_active_downstream_connections: 10_000,
      },
    },
  ],
};
