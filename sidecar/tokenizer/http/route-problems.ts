/**
 * Which problems each route may answer with: the one table that the OpenAPI document, and docs/api.md with
 * it, are made from. A new route gets a row here; a test fails for one that has none, and for a code that
 * no route has.
 *
 * @module
 */

import type { ErrorCode } from '../../../errors/error.ts';

/** Of any request: from the listener's Envoy, from reading it, from who sent it. */
const ANY: readonly ErrorCode[] = [
  'ERR_BACKEND_TIMEOUT',
  'ERR_BACKEND_UNAVAILABLE',
  'ERR_BODY_TOO_LARGE',
  'ERR_EXPECTATION',
  'ERR_IDENTITY_MISSING',
  'ERR_IDENTITY_UNKNOWN',
  'ERR_INTERNAL',
  'ERR_MESH_DENIED',
  'ERR_PATH_UNREADABLE',
  'ERR_REQUEST_REFUSED',
  'ERR_REQUEST_UNREADABLE',
];

/** Of a request that may have a body, whether it needs one or not. */
const BODY: readonly ErrorCode[] = [
  'ERR_BODY_MISSING',
  'ERR_BODY_NOT_JSON',
  'ERR_MEDIA_TYPE',
  'ERR_REQUEST_INVALID',
];

/** Of a caller of the vault, whatever it asks for. */
const VAULT: readonly ErrorCode[] = [
  'ERR_AUDIT_UNAVAILABLE',
  'ERR_OPERATION_DENIED',
  'ERR_RATE_LIMITED',
  'ERR_STORE_UNAVAILABLE',
];

const SEALING: readonly ErrorCode[] = ['ERR_KEY_UNAVAILABLE', 'ERR_TENANT_SHREDDED'];

/** Of values that are to be stored, under whatever token. */
const VALUES: readonly ErrorCode[] = [
  'ERR_CLASS_DENIED',
  'ERR_CLASS_UNSUPPORTED',
  'ERR_TENANT_DENIED',
  'ERR_VALUE_INVALID',
  'ERR_VALUE_TOO_LARGE',
];

/** Of values that may have been encrypted at the edge. */
const MARKS: readonly ErrorCode[] = ['ERR_MARK_CLASS', 'ERR_MARK_UNOPENABLE'];

const TOKENIZING: readonly ErrorCode[] = [
  ...VALUES,
  ...MARKS,
  ...SEALING,
  'ERR_FORMAT_EXHAUSTED',
  'ERR_FORMAT_UNFIT',
  'ERR_KIND_UNSUPPORTED',
  'ERR_SMALL_FORMAT',
  'ERR_SMALL_FORMAT_DENIED',
  'ERR_SUBJECT_SHREDDED',
  'ERR_SUBJECT_UNKNOWN',
  // Of a token that follows from its value, and is there already.
  'ERR_RECORD_UNOPENABLE',
  'ERR_TOKEN_ARCHIVED',
];

/** Of a token that is looked up. */
const LOOKUP: readonly ErrorCode[] = [
  'ERR_RECORD_UNOPENABLE',
  'ERR_TENANT_DENIED',
  'ERR_TOKEN_CONSUMED',
  'ERR_TOKEN_EXPIRED',
  'ERR_TOKEN_MALFORMED',
  'ERR_TOKEN_NOT_REPLICATED',
  'ERR_TOKEN_UNKNOWN',
];

const REVEALING: readonly ErrorCode[] = [
  ...LOOKUP,
  ...SEALING,
  'ERR_CLASS_DENIED',
  'ERR_CODE_GONE',
  'ERR_FIELD_UNKNOWN',
  'ERR_SUBJECT_SHREDDED',
  'ERR_TOKEN_ARCHIVED',
  'ERR_TOKEN_ONE_WAY',
];

/** Of a value that is asked about. Where two records may have one token, they are opened and compared. */
const SEARCHING: readonly ErrorCode[] = [
  ...VALUES,
  ...SEALING,
  'ERR_RECORD_UNOPENABLE',
  'ERR_SUBJECT_SHREDDED',
];

/** What replaces a record seals under the keys that it has, its subject's too. */
const REPLACING: readonly ErrorCode[] = [
  ...VALUES,
  ...MARKS,
  ...SEALING,
  'ERR_SUBJECT_SHREDDED',
  'ERR_TOKEN_ARCHIVED',
  'ERR_TOKEN_CONSUMED',
  'ERR_VERSION_CONFLICT',
];

const IDEMPOTENCY: readonly ErrorCode[] = [
  'ERR_IDEMPOTENCY_IN_FLIGHT',
  'ERR_IDEMPOTENCY_KEY_MALFORMED',
  'ERR_IDEMPOTENCY_KEY_REUSED',
  'ERR_RECORD_UNOPENABLE',
];

const TEXT: readonly ErrorCode[] = [
  ...SEALING,
  'ERR_JSON_TOO_DEEP',
  'ERR_TENANT_DENIED',
  'ERR_TEXT_TOO_LARGE',
  'ERR_TOO_MANY_FINDINGS',
];

export interface RouteProblems {
  /** What the request as a whole may be refused with. */
  readonly codes: readonly ErrorCode[];
  /** Of a batch: what one item may be refused with, while the others are done. */
  readonly itemCodes?: readonly ErrorCode[];
}

export const ROUTE_PROBLEMS: Readonly<Record<string, RouteProblems>> = {
  'GET /healthz': { codes: ANY },
  'GET /readyz': {
    codes: [...ANY, ...SEALING, 'ERR_AUDIT_UNAVAILABLE', 'ERR_STORE_UNAVAILABLE'],
  },
  'GET /metrics': { codes: [...ANY, 'ERR_LOCAL_ONLY'] },
  'GET /openapi.json': { codes: ANY },
  'POST /v1/tokens': { codes: [...ANY, ...BODY, ...VAULT, ...TOKENIZING, ...IDEMPOTENCY] },
  'POST /v1/tokens/batch': {
    codes: [
      ...ANY,
      ...BODY,
      ...VAULT,
      ...IDEMPOTENCY,
      'ERR_FORMAT_EXHAUSTED',
      'ERR_KEY_UNAVAILABLE',
      'ERR_TOO_MANY_FIELDS',
      'ERR_TOO_MANY_ITEMS',
    ],
    itemCodes: [...TOKENIZING, 'ERR_OPERATION_DENIED', 'ERR_REQUEST_INVALID', 'ERR_STORE_UNAVAILABLE'],
  },
  'GET /v1/tokens/{token}': {
    codes: [...ANY, ...VAULT, ...LOOKUP, 'ERR_REQUEST_INVALID'],
  },
  'DELETE /v1/tokens/{token}': {
    codes: [
      ...ANY,
      ...BODY,
      ...VAULT,
      ...SEALING,
      'ERR_CLASS_DENIED',
      'ERR_RECORD_UNOPENABLE',
      'ERR_TENANT_DENIED',
      'ERR_TOKEN_CONSUMED',
      'ERR_TOKEN_MALFORMED',
      'ERR_TOKEN_NOT_REPLICATED',
      'ERR_TOKEN_UNKNOWN',
    ],
  },
  'PUT /v1/tokens/{token}': {
    codes: [
      ...ANY,
      ...BODY,
      ...VAULT,
      ...LOOKUP,
      ...REPLACING,
      'ERR_KIND_NOT_POINTER',
      'ERR_KIND_UNSUPPORTED',
    ],
  },
  'POST /v1/tokens/{token}/archive': {
    codes: [...ANY, ...BODY, ...VAULT, ...LOOKUP, 'ERR_CLASS_DENIED'],
  },
  'POST /v1/tokens/{token}/restore': {
    codes: [...ANY, ...BODY, ...VAULT, ...LOOKUP, 'ERR_CLASS_DENIED'],
  },
  'POST /v1/tokens/validate': {
    codes: [...ANY, ...BODY, ...VAULT, 'ERR_RECORD_UNOPENABLE', 'ERR_TENANT_DENIED'],
  },
  'POST /v1/values/search': { codes: [...ANY, ...BODY, ...VAULT, ...SEARCHING] },
  'POST /v1/values/tokenized': { codes: [...ANY, ...BODY, ...VAULT, ...SEARCHING] },
  'PUT /v1/references/{reference}': {
    codes: [
      ...ANY,
      ...BODY,
      ...VAULT,
      ...REPLACING,
      'ERR_KIND_NOT_POINTER',
      'ERR_KIND_UNSUPPORTED',
      'ERR_RECORD_UNOPENABLE',
    ],
  },
  'POST /v1/detokenize': { codes: [...ANY, ...BODY, ...VAULT, ...REVEALING] },
  'POST /v1/detokenize/batch': {
    codes: [...ANY, ...BODY, ...VAULT, 'ERR_KEY_UNAVAILABLE', 'ERR_TOO_MANY_ITEMS'],
    itemCodes: [...REVEALING, 'ERR_OPERATION_DENIED', 'ERR_REQUEST_INVALID', 'ERR_STORE_UNAVAILABLE'],
  },
  'POST /v1/text/tokenize': {
    codes: [
      ...ANY,
      ...BODY,
      ...VAULT,
      ...TEXT,
      'ERR_CLASS_DENIED',
      'ERR_COUNTRY_UNKNOWN',
      'ERR_VALUE_INVALID',
      'ERR_VALUE_TOO_LARGE',
    ],
  },
  'POST /v1/text/detokenize': {
    codes: [...ANY, ...BODY, ...VAULT, ...TEXT, 'ERR_CODE_GONE', 'ERR_TOKEN_CONSUMED'],
  },
};
