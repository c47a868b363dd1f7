/**
 * The vault: tokens in, records out, under a policy that denies by default.
 *
 * No IO of its own. What it needs of the outside comes in as ports, time and
 * randomness included.
 *
 * @module
 */

import type { VaultAccess } from '../../../mesh/definition.ts';
import { TokenmeshError } from '../../../errors/error.ts';
import type { FieldClass } from './field-class.ts';
import type { Policy } from './policy.ts';
import type { FieldSealer, TokenRecord, TokenStore } from './ports.ts';
import type { ReferenceStore } from './reference-store.ts';
import type { Replicas } from './replication.ts';
import { createArchiving } from './archiving.ts';
import { createSearching } from './fingerprints/searching.ts';
import type { Fingerprints } from './fingerprints/searchable.ts';
import { createMarkRevealing } from './marks/mark-revealing.ts';
import type { MarkKeys } from './marks/opening.ts';
import { createTokenizing } from './tokenizing.ts';
import { createRevealing } from './revealing.ts';
import { createKeeping } from './keeping.ts';
import { createReplacing } from './replacing.ts';
import { createUpserting } from './upserting.ts';

/** Who asks: an identity of the mesh, and what the mesh says of it. */
export interface Caller {
  readonly identity: string;
  readonly access: VaultAccess;
  /** Of the request that is served, for the audit. */
  readonly requestId?: string;
  /** Where the call may have been sent before: core/idempotency.ts. */
  readonly idempotency?: IdempotentCall;
}

/** What a call is recognized by when it is sent again. */
export interface IdempotentCall {
  /** The caller's own, for this call alone. */
  readonly key: string;
  /** The whole body as it was sent, valid or not: any JSON value. */
  readonly body: unknown;
}

export interface TokenizeField {
  readonly class: string;
  readonly value: string;
  /** Whether the record is to be found by this value. @default false */
  readonly searchable?: boolean;
  /** What is sealed instead of the value, which is checked: a card number with the spaces it had in a text. */
  readonly written?: string;
}

export interface TokenizeRequest {
  readonly fields: Readonly<Record<string, TokenizeField>>;
  readonly kind?: string;
  readonly format?: string;
  readonly ttlSeconds?: number;
  /** Asks for a format of fewer than a million possibilities in so many words. @default false */
  readonly allowSmallFormat?: boolean;
  /** What is given where no token of the format is free: `widen` for one of the format `default`. @default nothing */
  readonly onExhaustion?: 'widen';
  /** @default the first tenant of the caller */
  readonly tenant?: string;
  /** Whose data it is: sealed under the subject's own key, which an operator made and can destroy. @default the tenant's key */
  readonly subject?: string;
}

/** What the audit has to know of what was done, and no caller is told. */
export interface Effects {
  /** The policies that permitted it. */
  readonly policyIds?: readonly string[];
  /** The record as it is stored from now on; `removed` where there is none any more; left out where nothing changed. */
  readonly stored?: TokenRecord | 'removed';
}

export interface Tokenized extends Effects {
  readonly token: string;
  readonly createdAt: Date;
  readonly expiresAt?: Date;
  /** Where another than `default` was asked for: the one that was given. */
  readonly format?: string;
  /** Of a pointer: how often its record was written. */
  readonly version?: number;
  /** Whether an earlier call with the same idempotency key made it. @default false */
  readonly isReplayed?: boolean;
}

export interface DetokenizeRequest {
  readonly token: string;
  /** @default every field of the record */
  readonly fields?: readonly string[];
  /** @default the default purpose of the caller */
  readonly purpose?: string;
  /** @default the first tenant of the caller */
  readonly tenant?: string;
}

export interface RevealedField {
  /** Null where the form is `redacted`. */
  readonly value: string | null;
  readonly form: 'plain' | 'masked' | 'redacted';
  readonly class: FieldClass;
}

export interface Revealed extends Effects {
  readonly fields: ReadonlyMap<string, RevealedField>;
}

export interface MarkRequest {
  /** What stands in the text: core/marks/mark.ts. */
  readonly mark: string;
  /** @default the default purpose of the caller */
  readonly purpose?: string;
  /** @default the first tenant of the caller */
  readonly tenant?: string;
}

export interface TokenQuery {
  readonly token: string;
  /** @default the first tenant of the caller */
  readonly tenant?: string;
}

export interface TokenDescription extends Tokenized {
  readonly tenant: string;
  readonly kind: string;
  readonly format: string;
  readonly archivedAt?: Date;
  readonly subject?: string;
  /** The class of each field that the caller may know of. */
  readonly fields: ReadonlyMap<string, FieldClass>;
}

export interface ReplaceRequest extends TokenQuery {
  readonly fields: TokenizeRequest['fields'];
  /** The version that is to be replaced; whichever there is by default. */
  readonly version?: number;
}

export interface Replaced extends Effects {
  readonly token: string;
  readonly version: number;
}

/** A value that is asked about. */
export interface ValueQuery {
  readonly class: string;
  readonly value: string;
  /** @default the first tenant of the caller */
  readonly tenant?: string;
}

export interface ValueTokens extends Effects {
  readonly tokens: readonly string[];
  /** Whether these are all that there are. */
  readonly isWhole: boolean;
}

export interface ValueTokenized extends Effects {
  readonly isTokenized: boolean;
}

export interface TokenValidity extends Effects {
  readonly isValid: boolean;
}

export interface UpsertRequest extends Pick<TokenizeRequest, 'fields' | 'ttlSeconds' | 'tenant'> {
  /** The caller's own id of what it stores: kept in clear, and never a value. */
  readonly reference: string;
  /** The version that is to be replaced, 0 for none; whatever there is by default. */
  readonly version?: number;
}

export interface Upserted extends Tokenized {
  readonly version: number;
  /** Whether there was none before. */
  readonly isNew: boolean;
}

/** Whether a token is in use: `archivedAt` is there where it is not. */
export interface Archived extends Effects {
  readonly token: string;
  readonly archivedAt?: Date;
}

/** What became of one item of a batch. */
export type ItemResult<Result> = { readonly result: Result } | { readonly error: TokenmeshError };

export interface Vault {
  tokenize(caller: Caller, request: TokenizeRequest): Promise<Tokenized>;
  tokenizeBatch(
    caller: Caller,
    requests: readonly TokenizeRequest[],
  ): Promise<readonly ItemResult<Tokenized>[]>;
  detokenize(caller: Caller, request: DetokenizeRequest): Promise<Revealed>;
  detokenizeBatch(
    caller: Caller,
    requests: readonly DetokenizeRequest[],
  ): Promise<readonly ItemResult<Revealed>[]>;
  /** What was encrypted before it came here, under the rights that a token of its class would have. */
  revealMarks(caller: Caller, requests: readonly MarkRequest[]): Promise<readonly ItemResult<Revealed>[]>;
  describe(caller: Caller, query: TokenQuery): Promise<TokenDescription>;
  delete(caller: Caller, query: TokenQuery): Promise<Effects>;
  /** Takes a token out of use: its record stays, and nothing of it is revealed. */
  archive(caller: Caller, query: TokenQuery): Promise<Archived>;
  restore(caller: Caller, query: TokenQuery): Promise<Archived>;
  /** The tokens of a value that was tokenized so that it can be found. */
  search(caller: Caller, query: ValueQuery): Promise<ValueTokens>;
  /** Whether there are any, and not which. */
  isTokenized(caller: Caller, query: ValueQuery): Promise<ValueTokenized>;
  /** Whether a token is in use, and nothing of it. */
  isValid(caller: Caller, query: TokenQuery): Promise<TokenValidity>;
  /** Puts other values behind a pointer, whose token stays. */
  replace(caller: Caller, request: ReplaceRequest): Promise<Replaced>;
  /**
   * Makes what a reference leads to, or puts other values there; the token stays.
   *
   * @param begun - Waited for before a record is replaced, each time, with its token.
   */
  upsert(caller: Caller, request: UpsertRequest, begun?: (token: string) => Promise<void>): Promise<Upserted>;
}

export interface VaultParts {
  readonly store: TokenStore;
  readonly references: ReferenceStore;
  readonly sealer: FieldSealer;
  readonly policy: Policy;
  readonly now: () => Date;
  /** From a cryptographic source. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** Two to four capitals: what tokens of the format `region` name. @default that format is refused */
  readonly regionCode?: string;
  /** The other regions that write to the same tables. @default none */
  readonly replicas?: Replicas;
  readonly observer?: MintingObserver;
  /** @default no mark opens */
  readonly markKeys?: MarkKeys;
  /** @default nothing follows from a value: no token, and no search */
  readonly fingerprints?: Fingerprints;
}

/** Is told of tokens that were taken, so that a format that runs out is noticed before it has. */
export interface MintingObserver {
  tokenTaken(format: string): void;
  formatExhausted(format: string): void;
}

export function createVault(parts: VaultParts): Vault {
  return {
    ...createTokenizing(parts),
    ...createRevealing(parts),
    ...createMarkRevealing(parts),
    ...createKeeping(parts),
    ...createReplacing(parts),
    ...createArchiving(parts),
    ...createSearching(parts),
    ...createUpserting(parts),
  };
}
