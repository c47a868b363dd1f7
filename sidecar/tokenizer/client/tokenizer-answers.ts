/**
 * What the tokenizer answers, and what its refusals mean to a caller.
 *
 * @module
 */

import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { TokenmeshError, type ErrorCode, type ErrorFacts } from '../../../errors/error.ts';
import type { JsonAnswer } from '../../../runtime/json-call.ts';
import type { TokenDescription, TokenizedRecord } from './tokenizer.ts';

const Instant = Type.String({ pattern: String.raw`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$` });

export const CreatedToken = Type.Object({
  token: Type.String({ minLength: 1 }),
  createdAt: Instant,
  expiresAt: Type.Optional(Instant),
  format: Type.Optional(Type.String()),
  version: Type.Optional(Type.Integer()),
});
export type CreatedToken = Static<typeof CreatedToken>;

export const DescribedToken = Type.Object({
  ...CreatedToken.properties,
  tenant: Type.String(),
  kind: Type.String(),
  format: Type.String(),
  archivedAt: Type.Optional(Instant),
  subject: Type.Optional(Type.String()),
  fields: Type.Record(Type.String(), Type.Object({ class: Type.String() })),
});
export type DescribedToken = Static<typeof DescribedToken>;

/** `value` is null where `form` is `redacted`. */
const RevealedField = Type.Object({
  value: Type.Union([Type.String(), Type.Null()]),
  form: Type.Union([Type.Literal('plain'), Type.Literal('masked'), Type.Literal('redacted')]),
});

export const RevealedRecord = Type.Object({ fields: Type.Record(Type.String(), RevealedField) });
export type RevealedRecord = Static<typeof RevealedRecord>;

/** An item's error is read as {@link itemRefusal} does: whatever it is, it is that item's. */
const FailedItem = Type.Object({ error: Type.Unknown() });
export const CreatedBatch = Type.Object({ results: Type.Array(Type.Union([FailedItem, CreatedToken])) });
export const RevealedBatch = Type.Object({ results: Type.Array(Type.Union([FailedItem, RevealedRecord])) });

export function tokenizedOf({ token, createdAt, expiresAt, format, version }: CreatedToken): TokenizedRecord {
  return {
    token,
    createdAt: new Date(createdAt),
    ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) }),
    ...(format === undefined ? {} : { format }),
    ...(version === undefined ? {} : { version }),
  };
}

export function descriptionOf(described: DescribedToken): TokenDescription {
  const { tenant, kind, format, archivedAt, subject, fields } = described;
  return {
    ...tokenizedOf(described),
    ...{ tenant, kind, format, fields },
    ...(archivedAt === undefined ? {} : { archivedAt: new Date(archivedAt) }),
    ...(subject === undefined ? {} : { subject }),
  };
}

const ProblemDocument = Type.Object({
  status: Type.Integer(),
  code: Type.String({ pattern: '^ERR_[A-Z0-9_]{1,60}$' }),
  remedy: Type.String({ minLength: 1, maxLength: 500 }),
});

/** What is answered before the tokenizer's own code sees a request: by an Envoy, or for want of such a route. */
const CODES_OF_THE_WAY: readonly string[] = [
  'ERR_MESH_DENIED',
  'ERR_REQUEST_REFUSED',
  'ERR_ROUTE_UNKNOWN',
  'ERR_TOKENIZER_REFUSED',
];

/**
 * The tokenizer refused, failed, or did not answer.
 *
 * Code and remedy are the tokenizer's own where it sent a problem document. Its
 * title and detail are left out, and digits are struck from the remedy: what
 * comes from afar is shown only as far as it cannot hold a card number.
 */
export class TokenizerError extends TokenmeshError {
  /** Undefined where no answer came. */
  readonly status: number | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(facts: ErrorFacts & Pick<TokenizerError, 'status' | 'retryAfterSeconds'>) {
    super(facts);
    this.status = facts.status;
    this.retryAfterSeconds = facts.retryAfterSeconds;
  }

  /** Whether it is the record's own fields that the tokenizer does not take. */
  get isAboutInput(): boolean {
    return this.#isOfTokenizer && [400, 413, 422].includes(this.status ?? 0);
  }

  /** Whether the token is unknown to the tokenizer, was deleted, or has expired. */
  get isGone(): boolean {
    return this.#isOfTokenizer && [404, 410].includes(this.status ?? 0);
  }

  /** Whether the same request may succeed later. */
  get isTemporary(): boolean {
    return this.status === undefined || this.status === 429 || this.status >= 500;
  }

  get #isOfTokenizer(): boolean {
    return !CODES_OF_THE_WAY.includes(this.code);
  }
}

export function unanswered(cause: unknown): TokenizerError {
  return new TokenizerError({
    code: 'ERR_TOKENIZER_UNAVAILABLE',
    message: 'the tokenizer did not answer: expected an answer before the deadline, got none',
    remedy: 'try again; if it goes on, run: npm run mesh -- verify',
    status: undefined,
    retryAfterSeconds: undefined,
    cause,
  });
}

/** The error that an answer other than the `expected` status stands for. */
export function refusalOf(answer: JsonAnswer, expected: number): TokenizerError {
  const facts = problemIn(answer.body) ?? withoutProblem(answer.status);
  return new TokenizerError({
    ...facts,
    message: `the tokenizer refused the request: expected status ${expected}, got ${answer.status} ${facts.code}`,
    status: answer.status,
    retryAfterSeconds: answer.retryAfterSeconds,
  });
}

/** The error that a problem document inside a batch's results stands for. */
export function itemRefusal(document: unknown): TokenizerError {
  const status = Value.Check(ProblemDocument, document) ? document.status : 500;
  return refusalOf({ status, body: document }, 201);
}

type Refusal = Pick<ErrorFacts, 'code' | 'remedy'>;

function problemIn(body: unknown): Refusal | undefined {
  if (!Value.Check(ProblemDocument, body)) return undefined;
  return { code: body.code as ErrorCode, remedy: body.remedy.replaceAll(/\d{6,}/g, '[digits]') };
}

/** A proxy on the way answered: it knows no problem documents. */
function withoutProblem(status: number): Refusal {
  if (status === 403) {
    return {
      code: 'ERR_TOKENIZER_REFUSED',
      remedy: 'see who may call what in mesh/tokenization-mesh.ts, and which identity this app has',
    };
  }
  return {
    code: status >= 500 ? 'ERR_TOKENIZER_UNAVAILABLE' : 'ERR_TOKENIZER_REFUSED',
    remedy:
      'see the log of the Envoy beside this app; npm run mesh -- verify checks the way to the tokenizer',
  };
}
