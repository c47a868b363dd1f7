import { Agent } from 'undici';
import type { Placement } from '../../mesh/envoy/types.ts';

/** How something that a placement names is asked: in a task over a Unix socket. The dispatcher is the caller's to close. */
export function reachAdmin(admin: Placement['admin']): { readonly url: string; readonly dispatcher: Agent } {
  return 'socket' in admin
    ? { url: 'http://admin', dispatcher: new Agent({ connect: { socketPath: admin.socket } }) }
    : { url: `http://${admin.host}:${admin.port}`, dispatcher: new Agent() };
}
