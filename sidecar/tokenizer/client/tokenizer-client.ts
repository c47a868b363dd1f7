/**
 * The tokenizer as its callers in the mesh see it: through the Envoy beside them.
 *
 * @module
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { TSchema, Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type { Dispatcher } from 'undici';
import { callJson, type JsonAnswer, type JsonCall } from '../../../runtime/json-call.ts';
import {
  CreatedBatch,
  CreatedToken,
  DescribedToken,
  descriptionOf,
  itemRefusal,
  refusalOf,
  RevealedBatch,
  RevealedRecord,
  tokenizedOf,
  unanswered,
  type TokenizerError,
} from './tokenizer-answers.ts';
import type { BatchResult, TokenizedRecord, Tokenizer, TokenizeRequest, TokenQuery } from './tokenizer.ts';

export interface TokenizerClientOptions {
  /** The way to the app's own Envoy, or for a function the way under its own certificate. */
  readonly dispatcher: Dispatcher;
  /** What the dispatcher is asked for. @default http://tokenizer, as an Envoy beside the app takes it */
  readonly origin?: string;
  /** For a whole call, its retry included. @default 5000 */
  readonly deadlineMs?: number;
  /** Between 0 and 1, for the jitter. @default Math.random */
  readonly random?: () => number;
  readonly wait?: (delayMs: number, signal: AbortSignal) => Promise<unknown>;
}

const DEFAULT_ORIGIN = 'http://tokenizer';

export interface BatchOptions {
  /** The same key with the same items is the same call: docs/idempotency.md. */
  readonly idempotencyKey?: string;
}

/** What the tokenizer of the mesh does beyond a vault in the process. */
export interface MeshTokenizer extends Tokenizer<TokenizerError> {
  tokenizeBatch(
    items: readonly TokenizeRequest[],
    options?: BatchOptions,
  ): Promise<readonly BatchResult<TokenizedRecord, TokenizerError>[]>;
}

/** A `retry-after` above this is left to the caller: the request behind this one does not wait so long. */
const RETRY_DELAY_MAX_SECONDS = 2;

const RETRY_DELAY_UNANSWERED_SECONDS = 0.1;

interface Call extends Omit<JsonCall, 'signal' | 'url'> {
  readonly path: string;
  /**
   * Whether a call that got no answer is sent again. Creating without a key is not: the first may have
   * stored a record, whose token nobody would ever learn. A 503 says that no token was handed out, so every
   * call is sent once more after it.
   */
  readonly retryUnanswered: boolean;
}

/**
 * Asks the tokenizer as the identity that the way there proves.
 *
 * Every method rejects with {@link TokenizerError}, within the deadline.
 *
 * A call is tried twice at most, the second time after what `retry-after` says and a jitter of half of it.
 */
export function createTokenizerClient(options: TokenizerClientOptions): MeshTokenizer {
  const send = (call: Call): Promise<JsonAnswer> => sendWithRetry(call, options);
  return {
    async tokenize(request) {
      const answer = await send({ ...post('/v1/tokens', request), retryUnanswered: false });
      return tokenizedOf(readAnswer(answer, 201, CreatedToken));
    },
    async tokenizeBatch(items, { idempotencyKey } = {}) {
      const keyed = idempotencyKey === undefined ? {} : { headers: { 'idempotency-key': idempotencyKey } };
      const call = { ...post('/v1/tokens/batch', { items }), ...keyed };
      const answer = await send({ ...call, retryUnanswered: idempotencyKey !== undefined });
      return resultsOf(readAnswer(answer, 200, CreatedBatch), items, tokenizedOf);
    },
    async detokenize(request) {
      const answer = await send({ ...post('/v1/detokenize', request), retryUnanswered: true });
      return readAnswer(answer, 200, RevealedRecord).fields;
    },
    async detokenizeBatch(items) {
      const answer = await send({ ...post('/v1/detokenize/batch', { items }), retryUnanswered: true });
      return resultsOf(readAnswer(answer, 200, RevealedBatch), items, ({ fields }) => fields);
    },
    async describe(query) {
      const answer = await send({ method: 'GET', path: pathOf(query), retryUnanswered: true });
      return descriptionOf(readAnswer(answer, 200, DescribedToken));
    },
    async delete(query) {
      const answer = await send({ method: 'DELETE', path: pathOf(query), retryUnanswered: true });
      if (answer.status === 204) return;
      const refusal = refusalOf(answer, 204);
      if (!refusal.isGone) throw refusal;
    },
  };
}

function pathOf({ token, tenant }: TokenQuery): string {
  const path = `/v1/tokens/${encodeURIComponent(token)}`;
  return tenant === undefined ? path : `${path}?tenant=${encodeURIComponent(tenant)}`;
}

/** An answer with another number of results tells of no item what became of it. */
function resultsOf<Item extends object, Result>(
  { results }: { readonly results: readonly (Item | { error: unknown })[] },
  items: readonly unknown[],
  read: (item: Item) => Result,
): BatchResult<Result, TokenizerError>[] {
  if (results.length !== items.length) throw refusalOf({ status: 502, body: undefined }, 200);
  return results.map((each) =>
    'error' in each ? { error: itemRefusal(each.error) } : { result: read(each) },
  );
}

function post(path: string, body: unknown): Pick<Call, 'method' | 'path' | 'body'> {
  return { method: 'POST', path, body };
}

function readAnswer<Schema extends TSchema>(
  answer: JsonAnswer,
  expected: number,
  schema: Schema,
): Static<Schema> {
  if (answer.status !== expected) throw refusalOf(answer, expected);
  if (!Value.Check(schema, answer.body)) throw refusalOf({ status: 502, body: undefined }, expected);
  return answer.body;
}

type Attempt = JsonAnswer | { readonly status: undefined; readonly cause: unknown };

async function sendWithRetry(call: Call, options: TokenizerClientOptions): Promise<JsonAnswer> {
  const signal = AbortSignal.timeout(options.deadlineMs ?? 5_000);
  const first = await attempt(call, options, signal);
  const delaySeconds = retryDelaySeconds(first, call);
  if (delaySeconds === undefined || signal.aborted) return orUnanswered(first);
  const delayMs = delaySeconds * 1000 * (1 + (options.random ?? Math.random)() / 2);
  try {
    await (options.wait ?? waitFor)(delayMs, signal);
  } catch {
    return orUnanswered(first);
  }
  return orUnanswered(await attempt(call, options, signal));
}

function waitFor(delayMs: number, signal: AbortSignal): Promise<unknown> {
  return delay(delayMs, undefined, { signal });
}

async function attempt(
  call: Call,
  { dispatcher, origin = DEFAULT_ORIGIN }: TokenizerClientOptions,
  signal: AbortSignal,
): Promise<Attempt> {
  try {
    return await callJson(dispatcher, { ...call, url: origin + call.path, signal });
  } catch (cause) {
    return { status: undefined, cause };
  }
}

function orUnanswered(found: Attempt): JsonAnswer {
  if (found.status === undefined) throw unanswered(found.cause);
  return found;
}

/** Undefined where the call must not, or need not, be sent again. */
function retryDelaySeconds(found: Attempt, call: Call): number | undefined {
  if (found.status === undefined) return call.retryUnanswered ? RETRY_DELAY_UNANSWERED_SECONDS : undefined;
  if (found.status !== 503 || found.retryAfterSeconds === undefined) return undefined;
  return found.retryAfterSeconds <= RETRY_DELAY_MAX_SECONDS ? found.retryAfterSeconds : undefined;
}
