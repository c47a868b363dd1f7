/**
 * The deny list: callers whose certificate is revoked are refused by its serial, before anything else.
 *
 * A CRL stops new handshakes, once the CA has written it. The list stops requests, on open connections
 * too, as soon as a sidecar has moved its file in: Envoy takes the filter from a file (ECDS) that it
 * watches, with no restart. Nobody can spoof what is looked up: the serial is taken from the connection
 * after the handshake, and travels in no header.
 *
 * @module
 */

import type { EnvoyJson } from './types.ts';

/** The name of the filter, and of the policy that denies: it stands in the details of the access log. */
export const DENY_LIST = 'revoked';
export const DENY_LIST_FILE = 'deny-list.json';

const RBAC_TYPE = 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC';
const PEER_SERIAL_STATE = 'tokenmesh.peer-serial';

/** Remembers the serial of the caller's certificate, once for each connection. */
export const PEER_SERIAL_FILTER: EnvoyJson = {
  name: 'envoy.filters.network.set_filter_state',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.set_filter_state.v3.Config',
    on_downstream_tls_handshake: [
      {
        object_key: PEER_SERIAL_STATE,
        factory_key: 'envoy.string',
        format_string: { text_format_source: { inline_string: '%DOWNSTREAM_PEER_SERIAL%' } },
      },
    ],
  },
};

/**
 * Marks what the deny list refuses. The caller's Envoy may send the request once more: no app has seen it,
 * and a caller whose certificate has been rotated has a new one to show. An app cannot set it.
 */
export const PEER_REVOKED_HEADER = 'x-tokenmesh-peer-revoked';

const SKIP: EnvoyJson = {
  name: 'skip',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.common.matcher.action.v3.SkipFilter',
  },
};

function isRefusal(): EnvoyJson {
  return {
    single_predicate: {
      input: {
        name: 'peer-revoked',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.type.matcher.v3.HttpResponseHeaderMatchInput',
          header_name: PEER_REVOKED_HEADER,
        },
      },
      value_match: { exact: 'true' },
    },
  };
}

/**
 * Ends a connection that was made with a revoked certificate, gracefully (GOAWAY), after its first
 * refusal: the caller's next one shows the certificate that it has by then. A `connection: close` does
 * so for HTTP/1.1 alone. Must stand before the deny list, so that it sees what that answers.
 *
 * The matcher keeps the script from every answer but those: 8 us of CPU for each request otherwise.
 */
export const DRAIN_FILTER: EnvoyJson = {
  name: 'drain-revoked',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher',
    extension_config: {
      name: 'envoy.filters.http.lua',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua',
        default_source_code: {
          inline_string:
            'function envoy_on_response(handle) handle:streamInfo():drainConnectionUponCompletion() end',
        },
      },
    },
    xds_matcher: {
      matcher_list: { matchers: [{ predicate: { not_matcher: isRefusal() }, on_match: { action: SKIP } }] },
    },
  },
};

/** Must stand before whatever may let a request through. Its file must be there before Envoy starts. */
export function denyListFilter(secretsDirectory: string): EnvoyJson {
  return {
    name: DENY_LIST,
    config_discovery: {
      type_urls: [RBAC_TYPE],
      config_source: {
        resource_api_version: 'V3',
        path_config_source: {
          path: `${secretsDirectory}/${DENY_LIST_FILE}`,
          watched_directory: { path: secretsDirectory },
        },
      },
    },
  };
}

/**
 * The contents of the file. The lookup is by hash: a request costs the same for one serial and for a
 * thousand.
 *
 * @param serials - As `normalizeSerial` writes them.
 */
export function denyListFile(serials: readonly string[]): EnvoyJson {
  const filter = { '@type': RBAC_TYPE, rules_stat_prefix: `${DENY_LIST}.`, matcher: serialMatcher(serials) };
  return {
    resources: [
      {
        '@type': 'type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig',
        name: DENY_LIST,
        typed_config: filter,
      },
    ],
  };
}

function serialMatcher(serials: readonly string[]): EnvoyJson {
  const allowed = { on_no_match: { action: action('allowed', 'ALLOW') } };
  if (serials.length === 0) return allowed;
  const denied = { action: action(DENY_LIST, 'DENY') };
  return {
    matcher_tree: {
      input: {
        name: 'peer-serial',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.matching.common_inputs.network.v3.FilterStateInput',
          key: PEER_SERIAL_STATE,
        },
      },
      exact_match_map: { map: Object.fromEntries(serials.flatMap(spellings).map((each) => [each, denied])) },
    },
    ...allowed,
  };
}

/** Envoy writes whole bytes: a serial whose first digit is a zero keeps it. */
function spellings(serial: string): string[] {
  return serial.length % 2 === 0 ? [serial] : [serial, `0${serial}`];
}

function action(name: string, verdict: 'ALLOW' | 'DENY'): EnvoyJson {
  return {
    name: 'envoy.filters.rbac.action',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.config.rbac.v3.Action',
      name,
      ...(verdict === 'DENY' ? { action: verdict } : {}),
    },
  };
}
