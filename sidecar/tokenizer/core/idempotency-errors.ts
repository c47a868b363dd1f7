import { TokenmeshError } from '../../../errors/error.ts';

/** The first call is not answered yet, so it is not known what to answer the second. */
export function inFlight(): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_IDEMPOTENCY_IN_FLIGHT',
    message: 'a call with this idempotency key is under way: expected it to have ended, got it still running',
    remedy: 'send the same call again after the time in Retry-After',
  });
}

export function keyReused(): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_IDEMPOTENCY_KEY_REUSED',
    message: 'the idempotency key belongs to another request: expected the body that was sent with it before',
    remedy: 'send another key with another body; send the same body to have its answer again',
  });
}
