import { setTimeout as sleep } from 'node:timers/promises';
import { DynamodbCallError } from './dynamodb-call-error.ts';

const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 25;

export interface RetryingOptions {
  /** Ends it between attempts; an attempt ends by itself. */
  readonly signal: AbortSignal | undefined;
  /** Whether the call may be made again where nothing was answered: it may then be done twice, and the first one late. */
  readonly mayComeLate: boolean;
}

/**
 * Makes an attempt, and another after a pause where the first failed for the time being.
 *
 * The pause is random up to its bound ("full jitter"), which doubles.
 */
export async function retrying<Result>(
  { signal, mayComeLate }: RetryingOptions,
  attempt: () => Promise<Result>,
): Promise<Result> {
  for (let failed = 0; ; failed += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (failed + 1 >= ATTEMPTS || signal?.aborted === true || !mayAgain(error, mayComeLate)) throw error;
      await sleep(
        Math.random() * FIRST_PAUSE_MS * 2 ** failed,
        undefined,
        signal === undefined ? {} : { signal },
      );
    }
  }
}

/** What is no answer of DynamoDB's is the network's, or the time that was up. */
function mayAgain(error: unknown, mayComeLate: boolean): boolean {
  return error instanceof DynamodbCallError ? error.isTransient : mayComeLate;
}
