/**
 * What stands before a gateway's routes: the browser's question for other origins, the rates, the caller's
 * token. Empty for a node, whose callers prove themselves by certificate.
 *
 * @module
 */

import type { CrossOrigin, GatewayOperation, Mesh, RequestRate, VirtualGateway } from '../definition.ts';
import {
  CALLER_HEADERS,
  callerHeaders,
  SUBJECT_ACTION,
  TOKEN_REFUSALS,
  tokenFilters,
  tokenIssuerOf,
} from './caller-token.ts';
import type { Refusal } from './http.ts';
import { tokenKeysCluster } from './outbound.ts';
import type { EnvoyJson, Placement } from './types.ts';

export interface Guard {
  /** Before the body has been read. */
  readonly before: readonly EnvoyJson[];
  /** After it: an answer to half a request is lost by curl 7.88, which many have. */
  readonly after: readonly EnvoyJson[];
  readonly refusals: readonly Refusal[];
  /** Of every request that gets through, for the app. */
  readonly requestHeaders: { readonly remove: readonly string[]; readonly add: readonly EnvoyJson[] };
  /** Added to the virtual host. */
  readonly hostConfig: EnvoyJson;
  readonly routes: readonly EnvoyJson[];
  readonly clusters: readonly EnvoyJson[];
}

const NO_GUARD: Guard = {
  before: [],
  after: [],
  refusals: [],
  requestHeaders: { remove: [], add: [] },
  hostConfig: {},
  routes: [],
  clusters: [],
};

export function guardOf(mesh: Mesh, gateway: VirtualGateway | undefined, placement: Placement): Guard {
  if (gateway === undefined) return NO_GUARD;
  const { authentication, rates, crossOrigin, listener } = gateway;
  const issuer = authentication === undefined ? undefined : tokenIssuerOf(placement);
  return {
    before: [
      ...(crossOrigin === undefined ? [] : [CORS_FILTER]),
      ...(rates === undefined ? [] : [rateFilter('rate_all', rates.all)]),
    ],
    after: [
      ...(authentication === undefined || issuer === undefined
        ? []
        : tokenFilters(authentication, listener.operations, issuer)),
      ...(rates?.caller === undefined ? [] : [callerRateFilter(rates.caller)]),
    ],
    refusals: [...(rates === undefined ? [] : [TOO_MANY]), ...(issuer === undefined ? [] : TOKEN_REFUSALS)],
    requestHeaders: {
      remove: [...CALLER_HEADERS, 'authorization'],
      add: issuer === undefined ? [] : callerHeaders,
    },
    hostConfig: crossOrigin === undefined ? {} : corsConfig(crossOrigin, listener.operations),
    routes: crossOrigin === undefined ? [] : questionRoutes(listener.operations),
    clusters: issuer === undefined ? [] : [tokenKeysCluster(mesh, issuer.keys)],
  };
}

const CORS = 'envoy.filters.http.cors';
const CORS_TYPE = 'type.googleapis.com/envoy.extensions.filters.http.cors.v3';

/** First of all: it answers a browser's question, and marks refusals too, so that a page can read why. */
const CORS_FILTER: EnvoyJson = { name: CORS, typed_config: { '@type': `${CORS_TYPE}.Cors` } };

/** Where the filter finds what it answers a browser's question with; what it leaves gets no further than the token. */
function questionRoutes(operations: readonly GatewayOperation[]): EnvoyJson[] {
  return operations.slice(0, 1).map(({ virtualService }) => ({
    name: 'cross-origin-question',
    match: {
      prefix: '/',
      headers: [
        { name: ':method', string_match: { exact: 'OPTIONS' } },
        { name: 'access-control-request-method', present_match: true },
      ],
    },
    // A direct response has no policy that the filter finds. RBAC denies what would come this far.
    route: { cluster: virtualService },
  }));
}

function corsConfig(
  { origins, maxAgeSeconds }: CrossOrigin,
  operations: readonly GatewayOperation[],
): EnvoyJson {
  return {
    typed_per_filter_config: {
      [CORS]: {
        '@type': `${CORS_TYPE}.CorsPolicy`,
        allow_origin_string_match: origins.map((origin) => ({ exact: origin })),
        allow_methods: [...new Set(operations.map(({ method }) => method))].join(', '),
        allow_headers: 'authorization, content-type, idempotency-key',
        expose_headers: 'retry-after',
        max_age: String(maxAgeSeconds),
      },
    },
  };
}

const RATE_TYPE = 'type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit';
const ALWAYS: EnvoyJson = { default_value: { numerator: 100, denominator: 'HUNDRED' } };

/** How many callers are told apart at once; those used least recently are forgotten. */
const CALLERS_AT_MOST = 10_000;

function rateFilter(statPrefix: string, rate: RequestRate, more: EnvoyJson = {}): EnvoyJson {
  return {
    name: 'envoy.filters.http.local_ratelimit',
    typed_config: {
      '@type': RATE_TYPE,
      stat_prefix: statPrefix,
      token_bucket: bucket(rate),
      filter_enabled: ALWAYS,
      filter_enforced: ALWAYS,
      ...more,
    },
  };
}

/** A bucket for each subject, made when it is first seen. */
function callerRateFilter(rate: RequestRate): EnvoyJson {
  return rateFilter('rate_caller', rate, {
    rate_limits: [{ actions: [SUBJECT_ACTION] }],
    descriptors: [{ entries: [{ key: 'subject' }], token_bucket: bucket(rate) }],
    max_dynamic_descriptors: CALLERS_AT_MOST,
    always_consume_default_token_bucket: false,
  });
}

function bucket({ perSecond, burst }: RequestRate): EnvoyJson {
  return { max_tokens: burst, tokens_per_fill: perSecond, fill_interval: '1s' };
}

const TOO_MANY: Refusal = {
  facts: {
    status: 429,
    code: 'ERR_RATE_LIMITED',
    title: 'Too many requests at once.',
    remedy: 'wait for as long as retry-after says, then go on more slowly',
  },
  when: 'response.code_details == "local_rate_limited"',
  headers: { 'retry-after': '1' },
};
