import type { Mesh } from '../definition.ts';
import { memberOf } from '../edges.ts';
import { identityOf } from '../identity.ts';
import type { Placement, TokenIssuer } from './types.ts';

/** The folder that a sidecar shares with its app, for their two sockets: a volume of the task. */
export const SHARED_DIRECTORY = '/run/tokenmesh';

/** The sidecar's own: bootstrap, secrets, the sockets of Envoy's admin interface and of the agent. In memory. */
export const PRIVATE_DIRECTORY = '/run/sidecar';

const HTTPS_PORT = 443;

/**
 * Where the parts of a node are in a task of ECS: fixed paths, and peers by the names that they prove to have.
 *
 * An external service is trusted under the CAs of the web, which the image has.
 *
 * @param tokenIssuer - Who issues the tokens of a gateway's callers.
 * @throws {Error} for a node that the mesh does not have.
 */
export function taskPlacement(mesh: Mesh, nodeName: string, tokenIssuer?: TokenIssuer): Placement {
  const member = memberOf(mesh, nodeName);
  if (member === undefined) throw new Error(`expected a node of the mesh, got "${nodeName}"`);
  const services = Object.entries(mesh.virtualServices).map(([name, { provider }]) => [
    name,
    { host: identityOf(mesh, provider), port: mesh.virtualNodes[provider]?.listener.port ?? 0 },
  ]);
  const externals = Object.entries(mesh.externalServices).map(([name, { hostname }]) => [
    name,
    { host: hostname, port: HTTPS_PORT },
  ]);
  return {
    listener: { host: '0.0.0.0', port: member.listener.port },
    admin: { socket: `${PRIVATE_DIRECTORY}/admin.sock` },
    egressSocket: `${SHARED_DIRECTORY}/egress.sock`,
    ...(nodeName in mesh.virtualGateways ? {} : { appSocket: `${SHARED_DIRECTORY}/app.sock` }),
    secretsDirectory: `${PRIVATE_DIRECTORY}/secrets`,
    sdsSocket: `${PRIVATE_DIRECTORY}/sds.sock`,
    endpoints: Object.fromEntries([...services, ...externals]) as Placement['endpoints'],
    externalTrust: {},
    ...(nodeName in mesh.virtualGateways && tokenIssuer !== undefined ? { tokenIssuer } : {}),
  };
}
