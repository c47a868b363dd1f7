import type { Mesh, Operation } from '../../mesh/definition.ts';
import { MESH_DENIED } from '../../mesh/envoy/http.ts';
import { edgesOf } from '../../mesh/edges.ts';
import { permits, type CallFacts } from '../checks/policy.ts';
import { nodeState, type RunState } from '../run-state.ts';
import type { Looking } from './looking.ts';
import { callThrough } from './through-egress.ts';

/** Has every node call every operation of each of its backends, permitted or not. */
export async function callFacts(looking: Looking, mesh: Mesh, state: RunState): Promise<CallFacts[]> {
  const calls = edgesOf(mesh).flatMap(({ from, to, virtualService }) => {
    const operations = to === undefined ? [] : (mesh.virtualNodes[to]?.listener.operations ?? []);
    return operations.map((operation) => ({ from, virtualService, operation }));
  });
  return await looking.atEach(
    'policy',
    calls,
    ({ from, virtualService, operation }) => `${from} -> ${virtualService} ${operation.name}`,
    async ({ from, virtualService, operation }) =>
      await callFactsOf(nodeState(state, from).egressSocket, from, virtualService, operation),
  );
}

async function callFactsOf(
  egressSocket: string,
  caller: string,
  virtualService: string,
  operation: Operation,
): Promise<CallFacts> {
  const url = `http://${virtualService}${sampleText(operation.path)}`;
  const answer = await callThrough(egressSocket, url, operation.method);
  return {
    caller,
    virtualService,
    operation: operation.name,
    permitted: permits(operation, caller),
    status: answer?.status,
    deniedByMesh: answer?.code === MESH_DENIED,
  };
}

/** A path that fits the template and names nothing that exists: no call of a verification changes anything. */
function sampleText(template: string): string {
  return template.replaceAll(/\{[A-Za-z]+\}/g, 'verify');
}
