import type { EnvoyJson, Placement } from './types.ts';

/** What the admin interface answers: reading, and draining before a stop. All else is refused. */
const ALLOWED_PATHS = ['/ready', '/certs', '/clusters', '/listeners', '/server_info', '/drain_listeners'];

export function adminInterface(admin: Placement['admin']): EnvoyJson {
  return {
    address:
      'socket' in admin
        ? { pipe: { path: admin.socket, mode: 0o600 } }
        : { socket_address: { address: admin.host, port_value: admin.port } },
    allow_paths: [
      ...ALLOWED_PATHS.map((path) => ({ exact: path })),
      { prefix: '/drain_listeners?' },
      { exact: '/stats' },
      { prefix: '/stats?' },
      { exact: '/stats/prometheus' },
    ],
  };
}
