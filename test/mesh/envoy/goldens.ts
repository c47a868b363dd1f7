import { renderBootstrap } from '../../../mesh/envoy/bootstrap.ts';
import type { EnvoyJson } from '../../../mesh/envoy/types.ts';
import type { Mesh } from '../../../mesh/definition.ts';
import { tokenizationMesh } from '../../../mesh/tokenization-mesh.ts';
import { taskPlacement } from '../../support/meshes.ts';
import { SHIPPED_NODES, withNode, withOneWayOrder } from '../../support/meshes.ts';

const rendered = (mesh: Mesh, nodeName: string): EnvoyJson =>
  renderBootstrap(mesh, nodeName, taskPlacement(mesh, nodeName));

const permissiveTokenizer = withNode('tokenizer', (node) => ({
  ...node,
  listener: { ...node.listener, tls: { mode: 'PERMISSIVE', clientValidation: { trust: 'clients' } } },
}));

/** What each golden file shows, by its name. */
export const GOLDENS: Readonly<Record<string, () => EnvoyJson>> = {
  ...Object.fromEntries(
    SHIPPED_NODES.map((nodeName) => [`${nodeName}-as-shipped`, () => rendered(tokenizationMesh, nodeName)]),
  ),
  'order-listening-one-way': () => rendered(withOneWayOrder(), 'order'),
  'gateway-calling-one-way': () => rendered(withOneWayOrder(), 'gateway'),
  'gateway-with-traces': () =>
    renderBootstrap(tokenizationMesh, 'gateway', {
      ...taskPlacement(tokenizationMesh, 'gateway'),
      traces: { host: '127.0.0.1', port: 4318, path: '/v1/traces', percent: 5 },
    }),
  'order-with-secrets-in-files': () => rendered({ ...tokenizationMesh, secretDelivery: 'file' }, 'order'),
  'tokenizer-permissive': () => rendered(permissiveTokenizer, 'tokenizer'),
};
