/**
 * The header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).
 *
 * @module
 */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { TokenmeshError } from '../../../errors/error.ts';
import type { Caller, Tokenized } from '../core/vault.ts';
import type { CallerBehind } from './token-routes.ts';

export const IDEMPOTENCY_HEADER = 'idempotency-key';

/** Says that at least one token of the answer was made by an earlier call. */
export const REPLAYED_HEADER = 'idempotency-replayed';

/** A string of RFC 9651 section 3.3.3 without escapes, as the draft wants it, or the same without its quotes. */
export const IDEMPOTENCY_KEY = '^(?:"[ !#-\\[\\]-~]{1,255}"|[A-Za-z0-9._~:+/=-]{1,255})$';

const KEY = new RegExp(IDEMPOTENCY_KEY);

/**
 * The caller, with the key that the call was sent with. With quotes or without, it is the same key.
 *
 * @throws {TokenmeshError} `ERR_IDEMPOTENCY_KEY_MALFORMED`, for a header that was sent twice too.
 */
export function idempotentCaller(callerBehind: CallerBehind, request: FastifyRequest): Caller {
  const caller = callerBehind(request);
  const header = request.headers[IDEMPOTENCY_HEADER];
  if (header === undefined) return caller;
  if (typeof header !== 'string' || !KEY.test(header)) throw malformedKey();
  const key = header.replaceAll('"', '');
  return { ...caller, idempotency: { key, body: request.body } };
}

/** A call that is under way has most often ended a moment later. */
export function tellWhenToRetry(reply: FastifyReply): (error: unknown) => never {
  return (error) => {
    const isUnderWay = error instanceof TokenmeshError && error.code === 'ERR_IDEMPOTENCY_IN_FLIGHT';
    if (isUnderWay) reply.header('retry-after', '1');
    throw error;
  };
}

export function tellReplay(reply: FastifyReply, results: readonly Tokenized[]): void {
  if (results.some(({ isReplayed }) => isReplayed === true)) reply.header(REPLAYED_HEADER, 'true');
}

function malformedKey(): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_IDEMPOTENCY_KEY_MALFORMED',
    message:
      'the idempotency key is malformed: expected one of 1 to 255 printable characters of ASCII in double quotes, got something else',
    remedy: 'send one header Idempotency-Key: "<a new UUID for each call>"',
  });
}
