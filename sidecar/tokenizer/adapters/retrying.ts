import { setTimeout as sleep } from 'node:timers/promises';
import { DynamodbCallError } from './dynamodb-call-error.ts';

const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 25;

/**
 * Makes an attempt, and another after a pause where the first failed for the time being.
 *
 * The pause is random up to its bound ("full jitter"), which doubles.
 *
 * @param signal - Ends it between attempts; an attempt ends by itself.
 */
export async function retrying<Result>(
  signal: AbortSignal | undefined,
  attempt: () => Promise<Result>,
): Promise<Result> {
  for (let failed = 0; ; failed += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (failed + 1 >= ATTEMPTS || signal?.aborted === true || !isTransient(error)) throw error;
      await sleep(
        Math.random() * FIRST_PAUSE_MS * 2 ** failed,
        undefined,
        signal === undefined ? {} : { signal },
      );
    }
  }
}

/** What is no answer of DynamoDB's is the network's, or the time that was up. */
function isTransient(error: unknown): boolean {
  return !(error instanceof DynamodbCallError) || error.isTransient;
}
