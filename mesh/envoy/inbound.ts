import type { GatewayOperation, Listener, Mesh, Operation } from '../definition.ts';
import { listenerMode } from '../edges.ts';
import { CALLER_HEADERS } from './caller-token.ts';
import { denyListFilter, DRAIN_FILTER, PEER_REVOKED_HEADER, PEER_SERIAL_FILTER } from './deny-list.ts';
import type { Guard } from './guard.ts';
import { bufferFilter, connectionManager, identityHeaders, ROUTER_FILTER, seconds } from './http.ts';
import { pathMatcher, pathRegex, rbacFilter } from './rbac.ts';
import { mutualDownstream, oneWayDownstream } from './tls-context.ts';
import { spanName, tracingOf } from './tracing.ts';
import type { PlacedNode } from './sds.ts';
import type { EnvoyJson } from './types.ts';

/** The cluster of the app beside this Envoy. */
export const APP_CLUSTER = 'app';

/** The stat prefix of the listener: `listener.inbound.ssl.handshake` and its like. */
export const INBOUND = 'inbound';

/**
 * What Envoy itself answers to any member of the mesh: the identity and the serial of the
 * certificate that the caller showed on this connection. A cert agent proves a rotation with it.
 */
export const PEER_CHECK: Operation = {
  name: 'peer-check',
  method: 'GET',
  path: '/.tokenmesh/peer',
  callers: 'mesh',
};
export const PEER_IDENTITY_HEADER = 'x-tokenmesh-peer';
export const PEER_SERIAL_HEADER = 'x-tokenmesh-peer-serial';

interface Inbound {
  readonly nodeName: string;
  readonly placement: PlacedNode;
  readonly mesh: Mesh;
  readonly listener: InboundListener;
  readonly guard: Guard;
}

type InboundListener = Omit<Listener, 'operations'> & {
  readonly operations: readonly (Operation | GatewayOperation)[];
};

/** The listener that the rest of the mesh, or for a gateway the world, connects to. */
export function inboundListener(
  mesh: Mesh,
  nodeName: string,
  listener: InboundListener,
  placement: PlacedNode,
  guard: Guard,
): EnvoyJson {
  const { mode } = listener.tls;
  const inbound = { mesh, nodeName, placement, listener, guard };
  const chains = [];
  if (mode !== 'DISABLED') chains.push(tlsFilterChain(inbound, mode === 'PERMISSIVE'));
  if (mode !== 'STRICT') chains.push(plaintextFilterChain(inbound, mode === 'PERMISSIVE'));
  return {
    name: INBOUND,
    stat_prefix: INBOUND,
    address: {
      socket_address: { address: placement.listener.host, port_value: placement.listener.port },
    },
    // Shared, two Envoys that were given one port would each get a part of the connections, in silence.
    enable_reuse_port: false,
    per_connection_buffer_limit_bytes: 1_048_576,
    ...(mode === 'PERMISSIVE' ? { listener_filters: [TLS_INSPECTOR] } : {}),
    filter_chains: chains,
  };
}

const TLS_INSPECTOR: EnvoyJson = {
  name: 'envoy.filters.listener.tls_inspector',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector',
  },
};

function tlsFilterChain(inbound: Inbound, sniffed: boolean): EnvoyJson {
  const { mesh, listener, placement } = inbound;
  const mutual = listenerMode(listener) === 'mtls';
  return {
    ...(sniffed ? { filter_chain_match: { transport_protocol: 'tls' } } : {}),
    filters: [
      ...(mutual ? [PEER_SERIAL_FILTER] : []),
      inboundManager(inbound, mutual ? placement.secretsDirectory : undefined),
    ],
    transport_socket: mutual ? mutualDownstream(mesh, placement.secret) : oneWayDownstream(placement.secret),
    transport_socket_connect_timeout: '5s',
  };
}

function plaintextFilterChain(inbound: Inbound, sniffed: boolean): EnvoyJson {
  return {
    ...(sniffed ? { filter_chain_match: { transport_protocol: 'raw_buffer' } } : {}),
    filters: [inboundManager(inbound, undefined)],
  };
}

/** @param secretsDirectory - Where callers prove themselves: the deny list of those that are revoked is in it. */
function inboundManager(
  { mesh, nodeName, placement, listener, guard }: Inbound,
  secretsDirectory: string | undefined,
): EnvoyJson {
  const mutual = secretsDirectory !== undefined;
  const isGateway = nodeName in mesh.virtualGateways;
  const buffer = bufferFilter(listener.maxRequestBytes);
  const peerCheck = mutual ? [PEER_CHECK] : [];
  return connectionManager(mesh, {
    statPrefix: INBOUND,
    settings: {
      ...(mutual
        ? { forward_client_cert_details: 'SANITIZE_SET', set_current_client_cert_details: { dns: true } }
        : { forward_client_cert_details: 'SANITIZE' }),
      ...tracingOf(`${nodeName}-envoy`, placement, isGateway),
    },
    filters: [
      ...(mutual ? [DRAIN_FILTER, denyListFilter(secretsDirectory)] : []),
      ...guard.before,
      ...(isGateway ? [buffer] : []),
      ...guard.after,
      rbacFilter(mesh, [...peerCheck, ...listener.operations]),
      ...(isGateway ? [] : [buffer]),
      ROUTER_FILTER,
    ],
    refusals: guard.refusals,
    routeConfig: {
      name: INBOUND,
      request_headers_to_remove: [...identityHeaders.remove, ...guard.requestHeaders.remove],
      request_headers_to_add: [...identityHeaders.add, ...guard.requestHeaders.add],
      response_headers_to_remove: [PEER_REVOKED_HEADER],
      virtual_hosts: [
        {
          name: INBOUND,
          domains: ['*'],
          ...guard.hostConfig,
          routes: [
            ...peerCheck.map(peerCheckRoute),
            ...listener.operations.map((each) => ({
              ...operationRoute(mesh, each),
              ...spanName(each.name, placement),
            })),
            ...guard.routes,
          ],
        },
      ],
    },
  });
}

/** Only the names of routes reach the log, so each operation has a route of its own. */
function operationRoute(mesh: Mesh, operation: Operation | GatewayOperation): EnvoyJson {
  return {
    name: operation.name,
    match: routeMatch(operation),
    ...('virtualService' in operation || isForGatewaysOnly(mesh, operation)
      ? {}
      : { request_headers_to_remove: CALLER_HEADERS }),
    route: {
      cluster: 'virtualService' in operation ? operation.virtualService : APP_CLUSTER,
      timeout: seconds(mesh.requestTimeoutSeconds),
      ...('virtualService' in operation
        ? { host_rewrite_literal: operation.virtualService, retry_policy: SAFE_RETRIES }
        : {}),
    },
  };
}

/** What a gateway says of the caller outside counts only where nobody else can be the one who says it. */
function isForGatewaysOnly(mesh: Mesh, { callers }: Operation): boolean {
  return typeof callers !== 'string' && callers.every((caller) => caller in mesh.virtualGateways);
}

/** Only what the backend cannot have seen is sent again: no request is answered twice. */
export const SAFE_RETRIES: EnvoyJson = {
  retry_on: 'connect-failure,refused-stream,reset-before-request,retriable-headers',
  retriable_headers: [{ name: PEER_REVOKED_HEADER, present_match: true }],
  num_retries: 2,
};

function peerCheckRoute(operation: Operation): EnvoyJson {
  return {
    name: operation.name,
    match: routeMatch(operation),
    direct_response: { status: 204 },
    response_headers_to_add: [
      { header: { key: PEER_IDENTITY_HEADER, value: '%DOWNSTREAM_PEER_DNS_SAN%' } },
      { header: { key: PEER_SERIAL_HEADER, value: '%DOWNSTREAM_PEER_SERIAL%' } },
    ],
  };
}

function routeMatch(operation: Operation): EnvoyJson {
  const matcher = pathMatcher(operation.path);
  const path =
    'exact' in matcher ? { path: operation.path } : { safe_regex: { regex: pathRegex(operation.path) } };
  return { ...path, headers: [{ name: ':method', string_match: { exact: operation.method } }] };
}
