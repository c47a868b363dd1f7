import type { Mesh, VirtualNode } from '../mesh/definition.ts';
import { nodeNames } from '../mesh/identity.ts';
import { TABLES, type TableRole } from '../sidecar/tables.ts';
import type { FunctionName } from './access/arns.ts';
import type { Deployment } from './config.ts';
import { taskSize } from './sizes.ts';

/** A member that is there to be refused. */
const OUTSIDER = 'outsider';

/** The nodes that are deployed: all of the mesh, but the outsider only where it is asked for. */
export function deployedNodes(mesh: Mesh, { outsider }: Pick<Deployment, 'outsider'>): string[] {
  return nodeNames(mesh).filter((name) => outsider || name !== OUTSIDER);
}

/** Those and the functions of the mesh: whoever has a certificate. */
export function deployedMembers(mesh: Mesh, deployment: Pick<Deployment, 'outsider'>): string[] {
  return [...deployedNodes(mesh, deployment), ...Object.keys(mesh.functions)];
}

/** The functions in the VPC, by the names of their security groups. */
export function networkFunctions({ orderStore }: Pick<Deployment, 'orderStore'>): FunctionName[] {
  return orderStore === 'mysql' ? ['bulk', 'migrations'] : ['bulk'];
}

/** The tables: that of the orders only where they are in no database. */
export function deployedTables({ orderStore }: Pick<Deployment, 'orderStore'>): TableRole[] {
  const all = Object.keys(TABLES) as TableRole[];
  return orderStore === 'mysql' ? all.filter((role) => role !== 'orders') : all;
}

const SEVEN_DAYS_SECONDS = 604_800;

/** The mesh with the certificates' source that the deployment chose, for every node that may choose. */
export function deployedMesh(mesh: Mesh, deployment: Pick<Deployment, 'certificates' | 'size'>): Mesh {
  if (deployment.certificates === 'acm-export') return mesh;
  const nodes = Object.entries(mesh.virtualNodes).map(([name, node]): [string, VirtualNode] => [
    name,
    {
      ...node,
      certificateSource: {
        kind: 'short-lived',
        lifeSeconds: SEVEN_DAYS_SECONDS,
        tasksAtMost: taskSize(deployment.size, name).tasksAtMost,
      },
    },
  ]);
  return { ...mesh, virtualNodes: Object.fromEntries(nodes) };
}
