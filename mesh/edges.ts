import type { Backend, EdgeMode, Listener, Mesh, VirtualGateway, VirtualNode } from './definition.ts';

/** One caller and one backend, with what the caller demands of the connection. */
export interface Edge {
  readonly from: string;
  readonly virtualService: string;
  /** The node that answers, or undefined where the service is external. */
  readonly to: string | undefined;
  readonly mode: EdgeMode;
}

export function memberOf(mesh: Mesh, nodeName: string): VirtualGateway | VirtualNode | undefined {
  return mesh.virtualGateways[nodeName] ?? mesh.virtualNodes[nodeName];
}

/** What a listener asks of those who connect. */
export function listenerMode(listener: Pick<Listener, 'tls'>): EdgeMode {
  if (listener.tls.mode === 'DISABLED') return 'none';
  return listener.tls.clientValidation === undefined ? 'one-way' : 'mtls';
}

/** Every edge of the mesh, in the order of the definition. */
export function edgesOf(mesh: Mesh): Edge[] {
  const members = Object.entries({ ...mesh.virtualGateways, ...mesh.virtualNodes });
  return members.flatMap(([from, member]) =>
    member.backends.map((backend: Backend) => ({
      from,
      virtualService: backend.virtualService,
      to: mesh.virtualServices[backend.virtualService]?.provider,
      mode: backend.clientPolicy.tls,
    })),
  );
}
