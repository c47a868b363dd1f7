/**
 * What a tokenizer does for one caller, whether it is reached over the mesh or runs in the caller's own process.
 *
 * @module
 */

import type { TokenmeshError } from '../../../errors/error.ts';

/** A record to tokenize: fields by name, each with the class that the policy judges it by. */
export type Fields = Readonly<Record<string, FieldToTokenize>>;

export interface FieldToTokenize {
  readonly class: string;
  readonly value: string;
  /** Whether the record is to be found by this value; a vault in the process cannot. @default false */
  readonly searchable?: boolean;
}

/** The limits of each member, and what formats and kinds there are: docs/token-format.md, `GET /openapi.json`. */
export interface TokenizeRequest {
  readonly fields: Fields;
  /** What the token does. @default 'random' */
  readonly kind?: string;
  /** What the token looks like. @default 'default' */
  readonly format?: string;
  /** The token is gone after this long. @default it stays */
  readonly ttlSeconds?: number;
  /** Needed for a format of fewer than a million possibilities, beside the right to use one. */
  readonly allowSmallFormat?: boolean;
  /** `widen`: a token of the format `default` where none of the format is free. @default the request fails */
  readonly onExhaustion?: 'widen';
  /** @default the first tenant of the caller */
  readonly tenant?: string;
  /** Whose data it is: sealed under a key of the subject's own. @default the tenant's key */
  readonly subject?: string;
}

export interface TokenizedRecord {
  readonly token: string;
  readonly createdAt: Date;
  readonly expiresAt?: Date;
  /** Where another than `default` was asked for: the one that was given. */
  readonly format?: string;
  /** Of a pointer: how often its record was written. */
  readonly version?: number;
}

export interface DetokenizeRequest {
  readonly token: string;
  /** @default every field of the record */
  readonly fields?: readonly string[];
  /** Why: it decides whether a value is plain or masked. @default the caller's own purpose */
  readonly purpose?: string;
  readonly tenant?: string;
}

export interface RevealedField {
  /** Null where the form is `redacted`. */
  readonly value: string | null;
  readonly form: 'plain' | 'masked' | 'redacted';
}

/** By field name. What the caller may not see is masked or redacted, not left out. */
export type RevealedFields = Readonly<Record<string, RevealedField>>;

export interface TokenQuery {
  readonly token: string;
  readonly tenant?: string;
}

/** What is known of a token, without its values. */
export interface TokenDescription extends TokenizedRecord {
  readonly tenant: string;
  readonly kind: string;
  readonly format: string;
  /** Since when it is out of use, where it is. */
  readonly archivedAt?: Date;
  readonly subject?: string;
  /** The class of each field that the caller may know of. */
  readonly fields: Readonly<Record<string, { readonly class: string }>>;
}

/** What became of one item of a batch. */
export type BatchResult<Result, Refusal = TokenmeshError> =
  | { readonly result: Result }
  | { readonly error: Refusal };

/** Rejects with a `TokenmeshError`, whose code says why; docs/errors.md lists them. */
export interface Tokenizer<Refusal = TokenmeshError> {
  /** Must not resolve before the record is durable. */
  tokenize(request: TokenizeRequest): Promise<TokenizedRecord>;
  /** One result for each item, in order: an item that failed does not fail the others. */
  tokenizeBatch(
    requests: readonly TokenizeRequest[],
  ): Promise<readonly BatchResult<TokenizedRecord, Refusal>[]>;
  detokenize(request: DetokenizeRequest): Promise<RevealedFields>;
  detokenizeBatch(
    requests: readonly DetokenizeRequest[],
  ): Promise<readonly BatchResult<RevealedFields, Refusal>[]>;
  describe(query: TokenQuery): Promise<TokenDescription>;
  /** A token that is gone already is no error. */
  delete(query: TokenQuery): Promise<void>;
}
