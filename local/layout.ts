import { join } from 'node:path';
import type { Mesh } from '../mesh/definition.ts';
import type { Placement, SocketAddress } from '../mesh/envoy/types.ts';
import { memberOf } from '../mesh/edges.ts';
import { nodeNames } from '../mesh/identity.ts';
import { freePorts } from './free-port.ts';

const LOOPBACK = '127.0.0.1';

/** Where the parts of one node are on this machine. */
export interface NodeLayout {
  readonly name: string;
  readonly listener: SocketAddress;
  readonly adminUrl: string;
  readonly directory: string;
  readonly placementFile: string;
  readonly agentSocket: string;
  readonly egressSocket: string;
  readonly appSocket?: string;
  readonly placement: Placement;
}

export interface Layout {
  readonly directory: string;
  readonly nodes: readonly NodeLayout[];
}

/** Of the definition, so that addresses stay the same from run to run, or any, so that runs can stand side by side. */
export type PortChoice = 'of-the-definition' | 'any';

/**
 * Gives every node a port of its own on the loopback interface, the definition's where it is free and no
 * other is wanted, and Unix sockets for all that needs no port.
 */
export async function planLayout(
  mesh: Mesh,
  directory: string,
  processor: SocketAddress,
  processorTrust: string,
  choice: PortChoice,
  further: Pick<Placement, 'tokenIssuer' | 'traces'> = {},
): Promise<Layout> {
  const { tokenIssuer, traces } = further;
  const names = nodeNames(mesh);
  const wanted = names.map((name) => (choice === 'any' ? 0 : (memberOf(mesh, name)?.listener.port ?? 0)));
  const found = await freePorts([...wanted, ...names.map(() => 0)]);
  const ports = new Map(names.map((name, index) => [name, found[index] ?? 0]));
  const admins = new Map(names.map((name, index) => [name, found[names.length + index] ?? 0]));
  const endpoints = Object.fromEntries(
    Object.entries(mesh.virtualServices).map(([service, { provider }]) => [
      service,
      { host: LOOPBACK, port: ports.get(provider) ?? 0 },
    ]),
  );
  const nodes = names.map((name): NodeLayout => {
    const home = join(directory, 'nodes', name);
    const listener = { host: LOOPBACK, port: ports.get(name) ?? 0 };
    const admin = { host: LOOPBACK, port: admins.get(name) ?? 0 };
    const appSocket = name in mesh.virtualNodes ? { appSocket: join(home, 'app.sock') } : {};
    const egressSocket = join(home, 'egress.sock');
    return {
      name,
      listener,
      adminUrl: `http://${admin.host}:${admin.port}`,
      directory: home,
      placementFile: join(home, 'placement.json'),
      agentSocket: join(home, 'agent.sock'),
      egressSocket,
      ...appSocket,
      placement: {
        listener,
        admin,
        egressSocket,
        ...appSocket,
        secretsDirectory: join(home, 'secrets'),
        sdsSocket: join(home, 'run', 'sds.sock'),
        endpoints: { ...endpoints, processor },
        externalTrust: { processor: processorTrust },
        ...(name in mesh.virtualGateways && tokenIssuer !== undefined ? { tokenIssuer } : {}),
        ...(traces === undefined ? {} : { traces }),
      },
    };
  });
  return { directory, nodes };
}
