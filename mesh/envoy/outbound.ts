import { isIP } from 'node:net';
import { TokenmeshError } from '../../errors/error.ts';
import type { Backend, Mesh } from '../definition.ts';
import { listenerMode, memberOf } from '../edges.ts';
import { identityOf } from '../identity.ts';
import { CALLER_HEADERS, TOKEN_KEYS_CLUSTER } from './caller-token.ts';
import { connectionManager, IDENTITY_HEADER, ROUTER_FILTER, seconds } from './http.ts';
import { APP_CLUSTER, PEER_CHECK, SAFE_RETRIES } from './inbound.ts';
import type { PlacedNode } from './sds.ts';
import { externalUpstream, meshUpstream, publicUpstream } from './tls-context.ts';
import { spanName, tracingOf, TRACES_CLUSTER } from './tracing.ts';
import type { EnvoyJson, SocketAddress, TokenIssuer, TraceCollector } from './types.ts';

/** The host under which a cert agent asks, over a connection made for the purpose, what a peer sees of it. */
export const PEER_CHECK_HOST = 'peer-check.tokenmesh';

/** The public CAs, where the image's distribution keeps them. */
const SYSTEM_TRUST = '/etc/ssl/certs/ca-certificates.crt';

const PEER_CHECK_CLUSTER = 'peer-check';
const EGRESS = 'egress';

/** The listener that the app calls its backends on: a Unix socket, plain HTTP, one host for each backend. */
export function egressListener(
  mesh: Mesh,
  nodeName: string,
  backends: readonly Backend[],
  placement: PlacedNode,
  hasPeerCheck: boolean,
): EnvoyJson {
  const hosts = backends.map((backend) => ({
    name: backend.virtualService,
    domains: [backend.virtualService],
    routes: [
      {
        name: backend.virtualService,
        ...spanName(`to ${backend.virtualService}`, placement),
        match: { prefix: '/' },
        route: {
          cluster: backend.virtualService,
          timeout: seconds(mesh.requestTimeoutSeconds),
          retry_policy: SAFE_RETRIES,
        },
      },
    ],
  }));
  return {
    name: EGRESS,
    stat_prefix: EGRESS,
    address: { pipe: { path: placement.egressSocket, mode: 0o600 } },
    per_connection_buffer_limit_bytes: 1_048_576,
    filter_chains: [
      {
        filters: [
          connectionManager(mesh, {
            statPrefix: EGRESS,
            settings: {
              forward_client_cert_details: 'SANITIZE',
              ...tracingOf(`${nodeName}-envoy`, placement, false),
            },
            filters: [ROUTER_FILTER],
            routeConfig: {
              name: EGRESS,
              request_headers_to_remove: [IDENTITY_HEADER, ...CALLER_HEADERS],
              virtual_hosts: hasPeerCheck ? [...hosts, PEER_CHECK_VIRTUAL_HOST] : hosts,
            },
          }),
        ],
      },
    ],
  };
}

const PEER_CHECK_VIRTUAL_HOST: EnvoyJson = {
  name: PEER_CHECK.name,
  domains: [PEER_CHECK_HOST],
  routes: [
    {
      name: PEER_CHECK.name,
      match: { path: PEER_CHECK.path },
      route: { cluster: PEER_CHECK_CLUSTER, timeout: '3s' },
    },
  ],
};

/** The app beside this Envoy: HTTP/1.1 over its Unix socket. */
export function appCluster(socket: string): EnvoyJson {
  return {
    name: APP_CLUSTER,
    type: 'STATIC',
    connect_timeout: '1s',
    circuit_breakers: CIRCUIT_BREAKERS,
    load_assignment: loadAssignment(APP_CLUSTER, { pipe: { path: socket } }),
    typed_extension_protocol_options: httpOptions({
      // Shorter than the app keeps an idle connection (72 s): the app never closes one that Envoy is about to use.
      common_http_protocol_options: { idle_timeout: '30s' },
      explicit_http_config: { http_protocol_options: {} },
    }),
  };
}

export function backendCluster(mesh: Mesh, backend: Backend, placement: PlacedNode): EnvoyJson {
  const name = backend.virtualService;
  const external = mesh.externalServices[name];
  const endpoint = endpointOf(placement, name);
  if (external !== undefined) {
    const trustFile = placement.externalTrust[name] ?? SYSTEM_TRUST;
    return cluster(mesh, name, endpoint, externalUpstream(external.hostname, trustFile), {
      http_protocol_options: {},
    });
  }
  return cluster(mesh, name, endpoint, meshTransport(mesh, backend, placement), HTTP2);
}

/** Where spans go. */
export function tracesCluster(mesh: Mesh, traces: TraceCollector): EnvoyJson {
  return cluster(mesh, TRACES_CLUSTER, traces, undefined, { http_protocol_options: {} });
}

/** Where a gateway fetches the keys that its callers' tokens are signed with. */
export function tokenKeysCluster(mesh: Mesh, keys: TokenIssuer['keys']): EnvoyJson {
  const trustFile = keys.trustFile ?? SYSTEM_TRUST;
  const transport = keys.tls ? publicUpstream(keys.host, trustFile) : undefined;
  return {
    ...cluster(mesh, TOKEN_KEYS_CLUSTER, keys, transport, { http_protocol_options: {} }),
    // Public endpoints have addresses of both kinds, and a subnet often only one.
    dns_lookup_family: 'V4_PREFERRED',
  };
}

function meshTransport(mesh: Mesh, backend: Backend, placement: PlacedNode): EnvoyJson | undefined {
  const provider = mesh.virtualServices[backend.virtualService]?.provider;
  const mode = backend.clientPolicy.tls;
  if (provider === undefined || mode === 'none') return undefined;
  return meshUpstream(identityOf(mesh, provider), placement.secret, mode === 'mtls');
}

/**
 * A connection for one request only, to this node's own listener where that asks for a certificate,
 * or else to its first mutual backend: how the node sees the serial that its peers see.
 */
export function peerCheckCluster(mesh: Mesh, nodeName: string, placement: PlacedNode): EnvoyJson | undefined {
  const target = peerCheckTarget(mesh, nodeName, placement);
  if (target === undefined) return undefined;
  const transport = meshUpstream(identityOf(mesh, target.nodeName), placement.secret, true);
  const oneRequest = { common_http_protocol_options: { max_requests_per_connection: 1 } };
  return cluster(mesh, PEER_CHECK_CLUSTER, target.endpoint, transport, HTTP2, oneRequest);
}

function peerCheckTarget(
  mesh: Mesh,
  nodeName: string,
  placement: PlacedNode,
): { nodeName: string; endpoint: SocketAddress } | undefined {
  const member = memberOf(mesh, nodeName);
  if (member === undefined) return undefined;
  if (listenerMode(member.listener) === 'mtls')
    return { nodeName, endpoint: connectable(placement.listener) };
  const backend = member.backends.find((each) => each.clientPolicy.tls === 'mtls');
  const provider = backend === undefined ? undefined : mesh.virtualServices[backend.virtualService]?.provider;
  if (backend === undefined || provider === undefined) return undefined;
  return { nodeName: provider, endpoint: endpointOf(placement, backend.virtualService) };
}

function connectable(listener: SocketAddress): SocketAddress {
  return listener.host === '0.0.0.0' ? { host: '127.0.0.1', port: listener.port } : listener;
}

const HTTP2: EnvoyJson = {
  http2_protocol_options: { connection_keepalive: { interval: '30s', timeout: '5s' } },
};

const CIRCUIT_BREAKERS: EnvoyJson = {
  thresholds: [{ max_connections: 1024, max_pending_requests: 1024, max_requests: 4096, max_retries: 16 }],
};

function cluster(
  mesh: Mesh,
  name: string,
  endpoint: SocketAddress,
  transportSocket: EnvoyJson | undefined,
  protocol: EnvoyJson,
  options: EnvoyJson = {
    common_http_protocol_options: {
      max_connection_duration: seconds(mesh.maxConnectionDurationSeconds),
      idle_timeout: '240s',
    },
  },
): EnvoyJson {
  return {
    name,
    type: isIP(endpoint.host) === 0 ? 'STRICT_DNS' : 'STATIC',
    connect_timeout: '2s',
    circuit_breakers: CIRCUIT_BREAKERS,
    load_assignment: loadAssignment(name, {
      socket_address: { address: endpoint.host, port_value: endpoint.port },
    }),
    typed_extension_protocol_options: httpOptions({ ...options, explicit_http_config: protocol }),
    ...(transportSocket === undefined ? {} : { transport_socket: transportSocket }),
  };
}

function loadAssignment(clusterName: string, address: EnvoyJson): EnvoyJson {
  return { cluster_name: clusterName, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] };
}

function httpOptions(options: EnvoyJson): EnvoyJson {
  return {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      ...options,
    },
  };
}

function endpointOf(placement: PlacedNode, name: string): SocketAddress {
  const endpoint = placement.endpoints[name];
  if (endpoint !== undefined) return endpoint;
  throw new TokenmeshError({
    code: 'ERR_ENDPOINT_MISSING',
    message: `no endpoint for backend "${name}": expected a host and a port in the placement`,
    remedy: 'add it to the endpoints of the placement',
  });
}
