import type { Mesh, VirtualNode } from '../../mesh/definition.ts';
export { taskPlacement } from '../../mesh/envoy/task-placement.ts';
import { nodeNames } from '../../mesh/identity.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';

/** The shipped mesh with one virtual node changed. */
export function withNode(nodeName: string, change: (node: VirtualNode) => VirtualNode): Mesh {
  const node = tokenizationMesh.virtualNodes[nodeName];
  if (node === undefined) throw new Error(`no node ${nodeName}`);
  return {
    ...tokenizationMesh,
    virtualNodes: { ...tokenizationMesh.virtualNodes, [nodeName]: change(node) },
  };
}

/** The shipped mesh with the edge from the gateway to order flipped to one-way TLS, on both sides. */
export function withOneWayOrder(): Mesh {
  const mesh = withNode('order', (node) => ({
    ...node,
    listener: {
      ...node.listener,
      tls: { mode: 'STRICT' },
      operations: node.listener.operations.map((operation) => ({ ...operation, callers: 'anyone' })),
    },
  }));
  const { gateway } = mesh.virtualGateways;
  const { outsider } = mesh.virtualNodes;
  if (gateway === undefined || outsider === undefined) throw new Error('the shipped mesh has changed');
  return {
    ...mesh,
    virtualGateways: {
      gateway: {
        ...gateway,
        backends: gateway.backends.map((backend) =>
          backend.virtualService === 'order' ? { ...backend, clientPolicy: { tls: 'one-way' } } : backend,
        ),
      },
    },
    virtualNodes: {
      ...mesh.virtualNodes,
      outsider: {
        ...outsider,
        backends: outsider.backends.filter((each) => each.virtualService !== 'order'),
      },
    },
  };
}

export const SHIPPED_NODES = nodeNames(tokenizationMesh);
