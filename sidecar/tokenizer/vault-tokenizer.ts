/**
 * The vault as one caller in the same process sees it: no request goes in that the service would not
 * take, and nothing comes out that is for the audit alone.
 *
 * @module
 */

import { Type, type TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { TokenmeshError, withoutDigits } from '../../errors/error.ts';
import type {
  BatchResult,
  Fields,
  RevealedFields,
  TokenDescription,
  TokenizedRecord,
  Tokenizer,
  TokenQuery,
} from './client/tokenizer.ts';
import { checkItemCount } from './core/items.ts';
import type {
  Caller,
  ItemResult,
  Revealed,
  TokenDescription as Described,
  Tokenized,
  Vault,
} from './core/vault.ts';
import { DetokenizeBody, ReplaceBody, TokenizeBody, TokenParams, TokenQuerystring } from './http/schemas.ts';

export interface ReplaceRequest extends TokenQuery {
  readonly fields: Fields;
  /** The version that is to be replaced. @default whichever there is */
  readonly version?: number;
}

/** Whether a token is in use: `archivedAt` is there where it is not. */
export interface ArchivedToken {
  readonly token: string;
  readonly archivedAt?: Date;
}

export interface VaultTokenizer extends Tokenizer {
  /** Takes a token out of use: its record stays, and nothing of it is revealed. */
  archive(query: TokenQuery): Promise<ArchivedToken>;
  restore(query: TokenQuery): Promise<ArchivedToken>;
  /** Puts other values behind a token of kind `pointer`, which stays. */
  replace(request: ReplaceRequest): Promise<{ readonly token: string; readonly version: number }>;
}

const query = { ...TokenParams.properties, ...TokenQuerystring.properties };
const Query = Type.Object(query, { additionalProperties: false });
const Replacement = Type.Object({ ...query, ...ReplaceBody.properties }, { additionalProperties: false });

export function createVaultTokenizer(vault: Vault, caller: Caller): VaultTokenizer {
  return {
    async tokenize(request) {
      return tokenizedOf(await vault.tokenize(caller, valid(TokenizeBody, request)));
    },
    tokenizeBatch: (requests) =>
      eachValid(TokenizeBody, requests, (items) => vault.tokenizeBatch(caller, items), tokenizedOf),
    async detokenize(request) {
      return fieldsOf(await vault.detokenize(caller, valid(DetokenizeBody, request)));
    },
    detokenizeBatch: (requests) =>
      eachValid(DetokenizeBody, requests, (items) => vault.detokenizeBatch(caller, items), fieldsOf),
    async describe(query) {
      return descriptionOf(await vault.describe(caller, valid(Query, query)));
    },
    async delete(query) {
      try {
        await vault.delete(caller, valid(Query, query));
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    },
    archive: async (query) => archivedOf(await vault.archive(caller, valid(Query, query))),
    restore: async (query) => archivedOf(await vault.restore(caller, valid(Query, query))),
    async replace(request) {
      const { token, version } = await vault.replace(caller, valid(Replacement, request));
      return { token, version };
    },
  };
}

/** @throws {TokenmeshError} `ERR_REQUEST_INVALID`, which tells where and never what. */
function valid<Request>(schema: TSchema, request: Request): Request {
  if (Value.Check(schema, request)) return request;
  const places = new Set([...Value.Errors(schema, request)].map(({ path }) => withoutDigits(path) || '/'));
  throw new TokenmeshError({
    code: 'ERR_REQUEST_INVALID',
    message: `the request is not valid: expected what docs/library.md says at ${[...places].slice(0, 8).join(', ')}, got something else`,
    remedy: 'correct the members named',
  });
}

/** One item that is not valid fails alone. */
async function eachValid<Request, Result, Shown>(
  schema: TSchema,
  requests: readonly Request[],
  run: (valid: readonly Request[]) => Promise<readonly ItemResult<Result>[]>,
  show: (result: Result) => Shown,
): Promise<BatchResult<Shown>[]> {
  checkItemCount(requests.length);
  const judged = requests.map((request) => judge(schema, request));
  const items = judged.flatMap((each) => ('result' in each ? [each.result] : []));
  const done = (items.length === 0 ? [] : await run(items)).values();
  return judged.map((each) => {
    if ('error' in each) return each;
    const outcome = done.next().value;
    if (outcome === undefined) throw new Error('expected one result for each item that was valid');
    return 'error' in outcome ? outcome : { result: show(outcome.result) };
  });
}

function judge<Request>(schema: TSchema, request: Request): ItemResult<Request> {
  try {
    return { result: valid(schema, request) };
  } catch (error) {
    if (error instanceof TokenmeshError) return { error };
    throw error;
  }
}

const GONE: ReadonlySet<string> = new Set(['ERR_TOKEN_UNKNOWN', 'ERR_TOKEN_EXPIRED', 'ERR_TOKEN_CONSUMED']);

function isGone(error: unknown): boolean {
  return error instanceof TokenmeshError && GONE.has(error.code);
}

function tokenizedOf({ token, createdAt, expiresAt, format, version }: Tokenized): TokenizedRecord {
  return {
    token,
    createdAt,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(format === undefined ? {} : { format }),
    ...(version === undefined ? {} : { version }),
  };
}

function archivedOf({ token, archivedAt }: ArchivedToken): ArchivedToken {
  return { token, ...(archivedAt === undefined ? {} : { archivedAt }) };
}

function fieldsOf({ fields }: Revealed): RevealedFields {
  return Object.fromEntries([...fields].map(([name, { value, form }]) => [name, { value, form }]));
}

function descriptionOf(described: Described): TokenDescription {
  const { tenant, kind, format, archivedAt, subject, fields } = described;
  return {
    ...tokenizedOf(described),
    ...{ tenant, kind, format },
    ...(archivedAt === undefined ? {} : { archivedAt }),
    ...(subject === undefined ? {} : { subject }),
    fields: Object.fromEntries([...fields].map(([name, fieldClass]) => [name, { class: fieldClass }])),
  };
}
