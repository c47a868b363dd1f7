/**
 * The errors of the vault that a caller may see, and those that say that something is down.
 *
 * @module
 */

import { TokenmeshError, type ErrorCode, type ErrorFacts } from '../../../errors/error.ts';

/** No answer from the token store within the deadline. A write may have happened, so its token must not be handed out. */
export class StoreUnavailableError extends TokenmeshError {
  constructor(cause?: unknown) {
    super({
      code: 'ERR_STORE_UNAVAILABLE',
      message: 'the token store did not answer in time: expected DynamoDB to serve the request',
      remedy: 'try again after the time in Retry-After',
      cause,
    });
  }
}

/** The key of the tenant could not be had, so nothing was sealed or opened. */
export class KeyUnavailableError extends TokenmeshError {
  constructor(cause?: unknown) {
    super({
      code: 'ERR_KEY_UNAVAILABLE',
      message: "the tenant's key could not be had in time: expected KMS and the key store to serve it",
      remedy:
        "try again after the time in Retry-After; if it goes on, see that the tenant's branch key exists",
      cause,
    });
  }
}

/** The token names another region, and is not here: not yet, or not any more. Nobody here can tell which. */
export class TokenNotReplicatedError extends TokenmeshError {
  readonly region: string;
  readonly lagSeconds?: number;

  /** @param lagSeconds - Undefined where nothing of that region has arrived. */
  constructor(region: string, lagSeconds?: number) {
    const seen = lagSeconds === undefined ? 'nothing of it' : `what it wrote ${lagSeconds.toFixed(1)} s ago`;
    super({
      code: 'ERR_TOKEN_NOT_REPLICATED',
      message: `the token is not known here yet: expected a row of the region ${region}, got ${seen}`,
      remedy: `ask again once the lag is less than the token's age, or ask the region ${region}; was it deleted, it stays so`,
    });
    this.region = region;
    if (lagSeconds !== undefined) this.lagSeconds = Math.round(lagSeconds * 10) / 10;
  }
}

/** The keys of the tenant were destroyed, and with them all that they sealed. */
export class TenantShreddedError extends TokenmeshError {
  constructor() {
    super({
      code: 'ERR_TENANT_SHREDDED',
      message: "the tenant's keys were destroyed: expected a tenant that is kept",
      remedy: 'use another tenant; what this one sealed does not open any more, for nobody',
    });
  }
}

/** The key of the subject was destroyed, and with it all that it sealed. */
export class SubjectShreddedError extends TokenmeshError {
  constructor() {
    super({
      code: 'ERR_SUBJECT_SHREDDED',
      message: "the subject's key was destroyed: expected a subject that is kept",
      remedy: 'delete the token; what it stood for does not open any more, for nobody',
    });
  }
}

export class SubjectUnknownError extends TokenmeshError {
  constructor() {
    super({
      code: 'ERR_SUBJECT_UNKNOWN',
      message: 'the subject has no key: expected one that an operator made',
      remedy: 'have it made (npm run mesh -- subjects create), or leave the subject out',
    });
  }
}

/** One error with one text, whatever the reason: why a message does not open is nothing to tell who sent it. */
export class RecordUnopenableError extends TokenmeshError {
  constructor(cause?: unknown) {
    super({
      code: 'ERR_RECORD_UNOPENABLE',
      message: 'the record does not open',
      remedy: 'tokenize the value again, and tell the operator: the record was changed or moved',
      cause,
    });
  }
}

/** What was done could not be recorded, so nothing of it is handed out: no value and no token. */
export class AuditUnavailableError extends TokenmeshError {
  constructor(cause?: unknown) {
    super({
      code: 'ERR_AUDIT_UNAVAILABLE',
      message: 'the audit could not be written in time: expected its log and its key to be served',
      remedy: 'try again after the time in Retry-After; nothing was handed out',
      cause,
    });
  }
}

/** A policy said no, or none said yes. The ids are for the audit: no caller is told them. */
export class PolicyDeniedError extends TokenmeshError {
  readonly policyIds: readonly string[];

  constructor({ policyIds, ...facts }: ErrorFacts & { readonly policyIds: readonly string[] }) {
    super(facts);
    this.policyIds = policyIds;
  }
}

interface Shown {
  readonly status: number;
  readonly title: string;
  /** Members of the problem document beside those that each has. */
  readonly region?: string;
  readonly lagSeconds?: number;
}

/** How each error is shown over HTTP. One that is not listed is not shown at all. */
const SHOWN: Readonly<Record<ErrorCode, Shown>> = {
  ERR_TOKEN_MALFORMED: { status: 400, title: 'The token is malformed.' },
  ERR_TOKEN_UNKNOWN: { status: 404, title: 'There is no such token.' },
  ERR_TOKEN_NOT_REPLICATED: { status: 404, title: 'The token has not arrived in this region.' },
  ERR_TOKEN_EXPIRED: { status: 410, title: 'The token has expired.' },
  ERR_FIELD_UNKNOWN: { status: 400, title: 'The record has no such field.' },
  ERR_CLASS_UNSUPPORTED: { status: 400, title: 'The field class is not supported.' },
  ERR_KIND_UNSUPPORTED: { status: 400, title: 'The token kind or format is not supported.' },
  ERR_VALUE_INVALID: { status: 400, title: 'A value does not fit its class.' },
  ERR_VALUE_TOO_LARGE: { status: 413, title: 'A value is too large.' },
  ERR_TOO_MANY_FIELDS: { status: 413, title: 'The batch has too many fields.' },
  ERR_TOO_MANY_ITEMS: { status: 413, title: 'The batch has too many items.' },
  ERR_IDENTITY_MISSING: { status: 403, title: 'The caller has no identity.' },
  ERR_IDENTITY_UNKNOWN: { status: 403, title: 'The caller is not of this mesh.' },
  ERR_TENANT_DENIED: { status: 403, title: 'The tenant is not one of the caller.' },
  ERR_OPERATION_DENIED: { status: 403, title: 'The caller may not do this.' },
  ERR_CLASS_DENIED: { status: 403, title: 'The caller may not do this with the field class.' },
  ERR_RATE_LIMITED: { status: 429, title: 'The caller sends too much.' },
  ERR_LOCAL_ONLY: { status: 403, title: 'This is not served to the mesh.' },
  ERR_TEXT_TOO_LARGE: { status: 413, title: 'The text is too large.' },
  ERR_TOO_MANY_FINDINGS: { status: 413, title: 'The text holds too many values or tokens.' },
  ERR_JSON_TOO_DEEP: { status: 413, title: 'The document is nested too deeply.' },
  ERR_COUNTRY_UNKNOWN: { status: 400, title: 'The country is unknown.' },
  ERR_TENANT_SHREDDED: { status: 410, title: "The tenant's keys were destroyed." },
  ERR_SUBJECT_SHREDDED: { status: 410, title: "The subject's key was destroyed." },
  ERR_SUBJECT_UNKNOWN: { status: 400, title: 'The subject has no key.' },
  ERR_RECORD_UNOPENABLE: { status: 500, title: 'The record does not open.' },
  ERR_MARK_UNOPENABLE: { status: 400, title: 'The mark does not open.' },
  ERR_MARK_CLASS: { status: 400, title: 'The mark is of another class.' },
  ERR_TOKEN_ONE_WAY: { status: 409, title: 'The token leads to no value.' },
  ERR_TOKEN_ARCHIVED: { status: 410, title: 'The token is archived.' },
  ERR_CODE_GONE: { status: 410, title: 'The security code was read or has expired.' },
  ERR_TOKEN_CONSUMED: { status: 410, title: 'The one-time token was used.' },
  ERR_FORMAT_UNFIT: { status: 400, title: 'The record does not fit the token format.' },
  ERR_SMALL_FORMAT: { status: 400, title: 'The token format is small, and was not asked for as such.' },
  ERR_SMALL_FORMAT_DENIED: { status: 403, title: 'The caller may not use a small token format.' },
  ERR_FORMAT_EXHAUSTED: { status: 503, title: 'The token format is exhausted.' },
  ERR_KIND_NOT_POINTER: { status: 409, title: 'The record of this token cannot be replaced.' },
  ERR_VERSION_CONFLICT: { status: 409, title: 'The record has another version.' },
  ERR_IDEMPOTENCY_KEY_MALFORMED: { status: 400, title: 'The idempotency key is malformed.' },
  ERR_IDEMPOTENCY_IN_FLIGHT: { status: 409, title: 'A call with this idempotency key is under way.' },
  ERR_IDEMPOTENCY_KEY_REUSED: { status: 422, title: 'The idempotency key was used for another request.' },
  ERR_STORE_UNAVAILABLE: { status: 503, title: 'The token store is not available.' },
  ERR_KEY_UNAVAILABLE: { status: 503, title: 'The key is not available.' },
  ERR_AUDIT_UNAVAILABLE: { status: 503, title: 'The audit is not available.' },
};

/** Every error that a caller may see, for the description of the API. */
export const SHOWN_PROBLEMS = Object.entries(SHOWN).map(([code, shown]) => ({
  code: code as ErrorCode,
  ...shown,
}));

export function shownAs(error: TokenmeshError): Shown | undefined {
  const shown = SHOWN[error.code];
  if (shown === undefined || !(error instanceof TokenNotReplicatedError)) return shown;
  const { region, lagSeconds } = error;
  return { ...shown, region, ...(lagSeconds === undefined ? {} : { lagSeconds }) };
}

/** Whether the same request may succeed a little later, with nothing changed by the caller. */
export function isOutage(error: TokenmeshError): boolean {
  return SHOWN[error.code]?.status === 503;
}
