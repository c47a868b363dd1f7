/**
 * What every HTTP connection manager of ours has in common: hardening, the access log, and problem
 * documents for what Envoy itself refuses.
 *
 * @module
 */

import { problem, PROBLEM_MEDIA_TYPE, type ProblemFacts } from '../../errors/problem.ts';
import type { Mesh } from '../definition.ts';
import { DENY_LIST, PEER_REVOKED_HEADER } from './deny-list.ts';
import type { EnvoyJson } from './types.ts';

/**
 * The identity that the listener verified, for the app: from the certificate, overwriting whatever the
 * caller sent. See {@link identityHeaders}.
 */
export const IDENTITY_HEADER = 'x-tokenmesh-identity';

export const ROUTER_FILTER: EnvoyJson = {
  name: 'envoy.filters.http.router',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router',
    suppress_envoy_headers: true,
  },
};

/**
 * Takes a whole body before it is passed on, and refuses one that is too large: an app that refuses it
 * half-way closes the connection, and its answer may be lost.
 */
export function bufferFilter(maxRequestBytes: number): EnvoyJson {
  return {
    name: 'envoy.filters.http.buffer',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer',
      max_request_bytes: maxRequestBytes,
    },
  };
}

/** Something that Envoy answers by itself, told by the details that a filter leaves. */
export interface Refusal {
  readonly facts: ProblemFacts;
  /** In the Common Expression Language. */
  readonly when: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ConnectionManager {
  readonly statPrefix: string;
  readonly routeConfig: EnvoyJson;
  readonly filters: readonly EnvoyJson[];
  readonly settings: EnvoyJson;
  /** Told before what every connection manager answers. */
  readonly refusals?: readonly Refusal[];
}

export function connectionManager(mesh: Mesh, parts: ConnectionManager): EnvoyJson {
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: {
      '@type':
        'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
      stat_prefix: parts.statPrefix,
      codec_type: 'AUTO',
      server_name: mesh.name,
      use_remote_address: true,
      // Nobody is internal, on loopback and in the VPC too: a caller's own x-request-id and x-envoy-* (retries,
      // timeouts) are dropped. A list that is empty means all private addresses, so this one names who cannot call.
      internal_address_config: {
        unix_sockets: false,
        cidr_ranges: [{ address_prefix: '255.255.255.255', prefix_len: 32 }],
      },
      normalize_path: true,
      merge_slashes: true,
      path_with_escaped_slashes_action: 'REJECT_REQUEST',
      common_http_protocol_options: {
        max_connection_duration: seconds(mesh.maxConnectionDurationSeconds),
        idle_timeout: '300s',
        headers_with_underscores_action: 'REJECT_REQUEST',
        max_headers_count: 64,
      },
      http2_protocol_options: {
        max_concurrent_streams: 256,
        initial_stream_window_size: 65_536,
        initial_connection_window_size: 1_048_576,
      },
      // Less than the apps take, so that the refusal is Envoy's.
      max_request_headers_kb: 15,
      request_headers_timeout: '10s',
      request_timeout: seconds(mesh.requestTimeoutSeconds * 2),
      stream_idle_timeout: seconds(mesh.requestTimeoutSeconds * 2),
      drain_timeout: '5s',
      access_log: [accessLog(parts.statPrefix)],
      local_reply_config: localReplies(parts.refusals ?? []),
      route_config: parts.routeConfig,
      http_filters: parts.filters,
      ...parts.settings,
    },
  };
}

export function seconds(count: number): string {
  return `${count}s`;
}

/**
 * One JSON line for each request, to standard output. Nothing of it is the caller's own words: a path
 * may hold a token, and a method of HTTP/2 may be any text, so the line names the route instead.
 */
function accessLog(direction: string): EnvoyJson {
  return {
    name: 'envoy.access_loggers.stdout',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog',
      log_format: {
        json_format: {
          time: '%START_TIME%',
          direction,
          route: '%ROUTE_NAME%',
          status: '%RESPONSE_CODE%',
          details: '%RESPONSE_CODE_DETAILS%',
          flags: '%RESPONSE_FLAGS%',
          durationMs: '%DURATION%',
          bytesIn: '%BYTES_RECEIVED%',
          bytesOut: '%BYTES_SENT%',
          peer: '%DOWNSTREAM_PEER_DNS_SAN%',
          peerSerial: '%DOWNSTREAM_PEER_SERIAL%',
          tls: '%DOWNSTREAM_TLS_VERSION%',
          upstream: '%UPSTREAM_CLUSTER%',
          requestId: '%REQ(X-REQUEST-ID)%',
        },
      },
    },
  };
}

/** The code of what RBAC denies: an app's own 403 has another. */
export const MESH_DENIED = 'ERR_MESH_DENIED';

/** The code of what the deny list refuses. */
export const CERTIFICATE_REVOKED = 'ERR_PEER_REVOKED';

const REVOKED: ProblemFacts = {
  status: 403,
  code: CERTIFICATE_REVOKED,
  title: "The certificate of the caller's connection has been revoked.",
  remedy: "rotate the caller's certificate, and connect again: npm run mesh -- rotate <node>",
};

const REFUSALS: readonly ProblemFacts[] = [
  {
    status: 403,
    code: MESH_DENIED,
    title: 'The mesh does not permit this caller this method and path.',
    remedy: 'call what the definition of the mesh grants to this identity, or have the right added to it',
  },
  {
    status: 404,
    code: 'ERR_ROUTE_UNKNOWN',
    title: 'There is no such route.',
    remedy: 'call a host and a path that the definition of the mesh names',
  },
  {
    status: 413,
    code: 'ERR_BODY_TOO_LARGE',
    title: 'The body is too large.',
    remedy: 'send fewer items, or smaller values: the documentation of the service has its limits',
  },
  {
    status: 503,
    code: 'ERR_BACKEND_UNAVAILABLE',
    title: 'The service behind this Envoy does not answer.',
    remedy: 'try again after a second; if it goes on, see whether the service is ready',
  },
  {
    status: 504,
    code: 'ERR_BACKEND_TIMEOUT',
    title: 'The service behind this Envoy took too long.',
    remedy: 'try again after a second; if it goes on, see the log of the service',
  },
];

const OTHER_REFUSAL: Omit<ProblemFacts, 'status'> = {
  code: 'ERR_REQUEST_REFUSED',
  title: 'The request was refused before it reached the service.',
  remedy: 'send a plain HTTP request: normal paths, no escaped slashes, headers of a sane size and number',
};

/** What Envoy itself refuses a request with: malformed, too slow, with too many or too large headers, or for want of an app. */
const OTHER_REFUSAL_STATUSES: readonly number[] = [400, 408, 431, 502];

/** Everything that an Envoy may answer by itself, for the description of what is behind it. */
export const ENVOY_PROBLEMS: readonly ProblemFacts[] = [
  REVOKED,
  ...REFUSALS,
  ...OTHER_REFUSAL_STATUSES.map((status) => ({ ...OTHER_REFUSAL, status })),
];

/** Tells an Envoy's own refusal from an app's, also where an answer has no body. */
export const REFUSED_BY_HEADER = 'x-tokenmesh-refused-by';

const REFUSED_BY_ENVOY = answerHeader(REFUSED_BY_HEADER, 'envoy');

function answerHeader(key: string, value: string): EnvoyJson {
  return { header: { key, value }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' };
}

/** Envoy's own refusals as problem documents. The texts are constant: nothing of the request is quoted. */
function localReplies(refusals: readonly Refusal[]): EnvoyJson {
  return {
    mappers: [
      ...refusals.map(({ facts, when, headers }) => ({
        filter: expressionFilter(when),
        status_code: facts.status,
        body_format_override: problemFormat(facts, facts.status),
        headers_to_add: [
          REFUSED_BY_ENVOY,
          ...Object.entries(headers).map(([key, value]) => answerHeader(key, value)),
        ],
      })),
      {
        filter: { and_filter: { filters: [statusFilter('EQ', REVOKED.status), deniedByFilter(DENY_LIST)] } },
        body_format_override: problemFormat(REVOKED, REVOKED.status),
        headers_to_add: [REFUSED_BY_ENVOY, PEER_REVOKED],
      },
      ...REFUSALS.map((facts) => ({
        filter: statusFilter('EQ', facts.status),
        body_format_override: problemFormat(facts, facts.status),
        headers_to_add: [REFUSED_BY_ENVOY, ...(facts.status >= 500 ? [TRY_AGAIN] : [])],
      })),
      {
        filter: statusFilter('GE', 400),
        body_format_override: problemFormat(OTHER_REFUSAL, '%RESPONSE_CODE%'),
        headers_to_add: [REFUSED_BY_ENVOY],
      },
    ],
  };
}

/** In seconds (RFC 9110 section 10.2.3): what is behind an Envoy may be back by then. */
const TRY_AGAIN = answerHeader('retry-after', '1');

const PEER_REVOKED = answerHeader(PEER_REVOKED_HEADER, 'true');

/** RBAC says in the details which of its policies denied. */
function deniedByFilter(policy: string): EnvoyJson {
  return expressionFilter(`response.code_details == "rbac_access_denied_matched_policy[${policy}]"`);
}

function expressionFilter(expression: string): EnvoyJson {
  return {
    extension_filter: {
      name: 'envoy.access_loggers.extension_filters.cel',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter',
        expression,
      },
    },
  };
}

function statusFilter(op: 'EQ' | 'GE', status: number): EnvoyJson {
  return {
    status_code_filter: {
      comparison: { op, value: { default_value: status, runtime_key: 'tokenmesh.unused' } },
    },
  };
}

function problemFormat(facts: Omit<ProblemFacts, 'status'>, status: number | string): EnvoyJson {
  return {
    json_format: { ...problem({ ...facts, status: 0 }), status },
    content_type: PROBLEM_MEDIA_TYPE,
  };
}

/**
 * Hands the verified identity to the app, whatever the caller sent under that name.
 *
 * Removed first, then set: with no certificate there is no value to set, and a header that the caller
 * made up must not come through.
 */
export const identityHeaders = {
  remove: [IDENTITY_HEADER],
  add: [
    {
      header: { key: IDENTITY_HEADER, value: '%DOWNSTREAM_PEER_DNS_SAN%' },
      append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
    },
  ],
};
