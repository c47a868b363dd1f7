/**
 * Callers from outside prove themselves with an access token of the mesh's user pool (RFC 7519, RFC 9068 in
 * Cognito's own form: `client_id` and `token_use` in place of `aud` and `typ`).
 *
 * In this order: signature, issuer and dates by Envoy's jwt_authn; then that the token is an access token of
 * a client that may call; then the scope of the operation. The token itself ends here: it is not passed on.
 *
 * @module
 */

import { TokenmeshError } from '../../errors/error.ts';
import type { ProblemFacts } from '../../errors/problem.ts';
import type { GatewayAuthentication, GatewayOperation } from '../definition.ts';
import type { Refusal } from './http.ts';
import { permission } from './rbac.ts';
import type { EnvoyJson, Placement, TokenIssuer } from './types.ts';

/** The verified `sub` and `scope`, for the app behind the gateway. See {@link callerHeaders}. */
export const SUBJECT_HEADER = 'x-tokenmesh-subject';
export const SCOPES_HEADER = 'x-tokenmesh-scopes';
export const CALLER_HEADERS: readonly string[] = [SUBJECT_HEADER, SCOPES_HEADER];

/** The cluster that the issuer's keys are fetched through. */
export const TOKEN_KEYS_CLUSTER = 'token-keys';

const JWT_FILTER = 'envoy.filters.http.jwt_authn';
const CLAIMS = 'token';
const WRONG_TOKEN = 'token:not-for-this-gateway';

/** A clock of the issuer's that is this far from ours does no harm. */
const CLOCK_SKEW_SECONDS = 30;

/** @throws {TokenmeshError} `ERR_TOKEN_ISSUER_MISSING` */
export function tokenIssuerOf(placement: Placement): TokenIssuer {
  if (placement.tokenIssuer !== undefined) return placement.tokenIssuer;
  throw new TokenmeshError({
    code: 'ERR_TOKEN_ISSUER_MISSING',
    message: 'the gateway authenticates its callers: expected a token issuer in its placement, got none',
    remedy: 'add tokenIssuer to the placement: issuer, where its keys are, and the clients that may call',
  });
}

export function tokenFilters(
  authentication: GatewayAuthentication,
  operations: readonly GatewayOperation[],
  issuer: TokenIssuer,
): EnvoyJson[] {
  return [
    jwtFilter(authentication, issuer),
    denyFilter({ [WRONG_TOKEN]: { permissions: [{ any: true }], principals: [not(acceptedToken(issuer))] } }),
    denyFilter(
      Object.fromEntries(
        operations.map((operation) => [
          `scope:${operation.name}`,
          {
            permissions: [permission(operation)],
            principals: [not(hasScope(`${authentication.resourceServer}/${operation.scope ?? ''}`))],
          },
        ]),
      ),
    ),
  ];
}

function jwtFilter({ keySeconds }: GatewayAuthentication, { issuer, keys }: TokenIssuer): EnvoyJson {
  return {
    name: JWT_FILTER,
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication',
      providers: {
        [CLAIMS]: {
          issuer,
          // By the header alone: a token in a URL stands in the logs of others.
          from_headers: [{ name: 'authorization', value_prefix: 'Bearer ' }],
          forward: false,
          require_expiration: true,
          clock_skew_seconds: CLOCK_SKEW_SECONDS,
          payload_in_metadata: CLAIMS,
          remote_jwks: {
            http_uri: {
              uri: `${keys.tls ? 'https' : 'http'}://${keys.host}:${keys.port}${keys.path}`,
              cluster: TOKEN_KEYS_CLUSTER,
              timeout: '3s',
            },
            cache_duration: `${keySeconds}s`,
            // Fetched in the background, so that no caller waits for it and an outage leaves the keys in use.
            async_fetch: { failed_refetch_duration: '1s' },
          },
        },
      },
      rules: [{ match: { prefix: '/' }, requires: { provider_name: CLAIMS } }],
    },
  };
}

/** Denies what fits one of the policies; which it was stands in the details of the answer. */
function denyFilter(policies: EnvoyJson): EnvoyJson {
  return {
    name: 'envoy.filters.http.rbac',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC',
      rules: { action: 'DENY', policies },
    },
  };
}

function acceptedToken({ clientIds }: TokenIssuer): EnvoyJson {
  const isOneOfOurs = { or_ids: { ids: clientIds.map((id) => claim('client_id', { exact: id })) } };
  return { and_ids: { ids: [claim('token_use', { exact: 'access' }), isOneOfOurs] } };
}

/** A scope stands between spaces (RFC 6749 section 3.3). */
function hasScope(scope: string): EnvoyJson {
  const literal = scope.replaceAll('.', '\\.');
  return claim('scope', { safe_regex: { regex: `(?:.* )?${literal}(?: .*)?` } });
}

function claim(name: string, stringMatch: EnvoyJson): EnvoyJson {
  return {
    sourced_metadata: {
      metadata_matcher: {
        filter: JWT_FILTER,
        path: [{ key: CLAIMS }, { key: name }],
        value: { string_match: stringMatch },
      },
    },
  };
}

function not(principal: EnvoyJson): EnvoyJson {
  return { not_id: principal };
}

/** The `sub` of a verified token, as a rate limit's descriptor. */
export const SUBJECT_ACTION: EnvoyJson = {
  metadata: {
    descriptor_key: 'subject',
    metadata_key: { key: JWT_FILTER, path: [{ key: CLAIMS }, { key: 'sub' }] },
    source: 'DYNAMIC',
  },
};

/** Set from the verified token, after whatever the caller sent under these names is removed. */
export const callerHeaders: readonly EnvoyJson[] = [
  callerHeader(SUBJECT_HEADER, 'sub'),
  callerHeader(SCOPES_HEADER, 'scope'),
];

function callerHeader(key: string, claimName: string): EnvoyJson {
  return {
    header: { key, value: `%DYNAMIC_METADATA(${JWT_FILTER}:${CLAIMS}:${claimName})%` },
    append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
  };
}

const MISSING: ProblemFacts = {
  status: 401,
  code: 'ERR_TOKEN_MISSING',
  title: 'The request has no access token.',
  remedy: 'send one of the user pool: authorization: Bearer <token>; npm run mesh -- login gives one',
};

const INVALID: ProblemFacts = {
  status: 401,
  code: 'ERR_TOKEN_INVALID',
  title: 'The access token is not accepted.',
  remedy:
    'get a new one: it must be an access token of this user pool, for a client that may call, and not expired',
};

const KEYS_UNAVAILABLE: ProblemFacts = {
  status: 503,
  code: 'ERR_TOKEN_KEYS_UNAVAILABLE',
  title: 'The access token cannot be checked: the keys of its issuer have not been had yet.',
  remedy: 'try again after a second; if it goes on, see whether the gateway reaches the user pool',
};

const SCOPE_MISSING: ProblemFacts = {
  status: 403,
  code: 'ERR_SCOPE_MISSING',
  title: 'The access token lacks the scope of this operation.',
  remedy: 'ask for a token with the scope that the definition of the mesh names for this method and path',
};

const JWT_DENIED = 'response.code_details.startsWith("jwt_authn_access_denied{';
const RBAC_DENIED = 'response.code_details.startsWith("rbac_access_denied_matched_policy[';

/** The first that fits counts. The challenge is constant (RFC 6750 section 3): nothing of the request is quoted. */
export const TOKEN_REFUSALS: readonly Refusal[] = [
  { facts: MISSING, when: `${JWT_DENIED}Jwt_is_missing")`, headers: challenge('') },
  {
    facts: KEYS_UNAVAILABLE,
    when: `${JWT_DENIED}Jwks_remote_fetch_is_failed")`,
    headers: { 'retry-after': '1' },
  },
  { facts: INVALID, when: `${JWT_DENIED}")`, headers: challenge(' error="invalid_token"') },
  { facts: INVALID, when: `${RBAC_DENIED}token:")`, headers: challenge(' error="invalid_token"') },
  { facts: SCOPE_MISSING, when: `${RBAC_DENIED}scope:")`, headers: challenge(' error="insufficient_scope"') },
];

function challenge(error: string): Readonly<Record<string, string>> {
  return { 'www-authenticate': `Bearer realm="tokenmesh"${error === '' ? '' : `,${error}`}` };
}
