import type { FastifyReply } from 'fastify';
import { TokenmeshError, type ErrorFacts } from '../errors/error.ts';

/** An error that goes away by itself: the same request is worth sending again. */
export class RetryLaterError extends TokenmeshError {
  /** After how long, where somebody said so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(facts: ErrorFacts & { readonly retryAfterSeconds?: number | undefined }) {
    super(facts);
    this.retryAfterSeconds = facts.retryAfterSeconds;
  }
}

/** Lets an error of `work` through, and tells the caller its `retry-after`. */
export async function passRetryAfter<Result>(reply: FastifyReply, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RetryLaterError && error.retryAfterSeconds !== undefined) {
      reply.header('retry-after', String(error.retryAfterSeconds));
    }
    throw error;
  }
}
