import { renderBootstrap } from '../../../mesh/envoy/bootstrap.ts';
import type { EnvoyJson } from '../../../mesh/envoy/types.ts';
import type { Mesh } from '../../../mesh/definition.ts';
import { tokenizationMesh } from '../../../mesh/tokenization-mesh.ts';
import { taskPlacement } from '../../../mesh/envoy/task-placement.ts';
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
  'tokenizer-permissive': () => rendered(permissiveTokenizer, 'tokenizer'),
};
