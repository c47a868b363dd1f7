import type { Mesh, VirtualNode } from '../../mesh/definition.ts';
import { taskPlacement as placedTask } from '../../mesh/envoy/task-placement.ts';
import type { Placement, TokenIssuer } from '../../mesh/envoy/types.ts';
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

/** The shipped mesh with a gateway that asks nobody for a token. */
export function withOpenGateway(): Mesh {
  const { gateway } = tokenizationMesh.virtualGateways;
  if (gateway === undefined) throw new Error('the shipped mesh has changed');
  const { authentication: _, rates, ...open } = gateway;
  const operations = open.listener.operations.map(({ scope: _scope, ...operation }) => operation);
  return {
    ...tokenizationMesh,
    virtualGateways: {
      gateway: {
        ...open,
        ...(rates === undefined ? {} : { rates: { all: rates.all } }),
        listener: { ...open.listener, operations },
      },
    },
  };
}

/** As Cognito has it on AWS. */
const COGNITO: TokenIssuer = {
  issuer: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_a1B2c3D4e',
  keys: {
    host: 'cognito-idp.eu-central-1.amazonaws.com',
    port: 443,
    path: '/eu-central-1_a1B2c3D4e/.well-known/jwks.json',
    tls: true,
  },
  clientIds: ['shop-front-end'],
};

export function taskPlacement(mesh: Mesh, nodeName: string, issuer = COGNITO): Placement {
  return placedTask(mesh, nodeName, issuer);
}

export const SHIPPED_NODES = nodeNames(tokenizationMesh);
