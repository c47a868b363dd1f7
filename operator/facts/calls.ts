import type { Mesh, Operation } from '../../mesh/definition.ts';
import { MESH_DENIED } from '../../mesh/envoy/http.ts';
import { edgesOf } from '../../mesh/edges.ts';
import type { CallFacts } from '../checks/policy.ts';
import { nodeState, type RunState } from '../run-state.ts';
import { callThrough } from './through-egress.ts';

/** Has every node call every operation of each of its backends, permitted or not. */
export async function callFacts(mesh: Mesh, state: RunState): Promise<CallFacts[]> {
  const facts: CallFacts[] = [];
  for (const edge of edgesOf(mesh)) {
    const provider = edge.to === undefined ? undefined : mesh.virtualNodes[edge.to];
    if (provider === undefined) continue;
    const caller = nodeState(state, edge.from);
    for (const operation of provider.listener.operations) {
      const url = `http://${edge.virtualService}${sampleText(operation.path)}`;
      const answer = await callThrough(caller.egressSocket, url, operation.method);
      facts.push({
        caller: edge.from,
        virtualService: edge.virtualService,
        operation: operation.name,
        permitted: permits(operation, edge.from),
        status: answer?.status,
        deniedByMesh: answer?.code === MESH_DENIED,
      });
    }
  }
  return facts;
}

function permits(operation: Operation, caller: string): boolean {
  return typeof operation.callers === 'string' || operation.callers.includes(caller);
}

/** A path that fits the template and names nothing that exists: no call of a verification changes anything. */
function sampleText(template: string): string {
  return template.replaceAll(/\{[A-Za-z]+\}/g, 'verify');
}
