/**
 * Hands an event to a function as EventBridge and AWS Lambda do: at least once, with two more tries, and then
 * into a queue where a person finds it.
 *
 * Source: AWS Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation".
 *
 * @module
 */

import { randomUUID } from 'node:crypto';

/** Before the second try and before the third. */
export const RETRY_AFTER_MS: readonly number[] = [60_000, 120_000];

export interface DeadLetter {
  readonly requestId: string;
  /** What was to be handled, as it came. */
  readonly event: unknown;
  readonly errorMessage: string;
}

export interface DeadLetters {
  send(letter: DeadLetter): Promise<void>;
}

export interface InvocationParts<Event, Result> {
  readonly handler: (event: Event) => Promise<Result>;
  readonly deadLetters: DeadLetters;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
}

export type Delivery<Result> =
  | { readonly outcome: 'handled'; readonly result: Result; readonly tries: number }
  | { readonly outcome: 'dead-lettered'; readonly requestId: string; readonly tries: number };

/** Never rejects for a fault of the handler: that is what the queue is for. */
export async function invokeAsynchronously<Event, Result>(
  parts: InvocationParts<Event, Result>,
  event: Event,
): Promise<Delivery<Result>> {
  const requestId = randomUUID();
  for (let tries = 1; ; tries += 1) {
    try {
      return { outcome: 'handled', result: await parts.handler(event), tries };
    } catch (error) {
      const waitMs = RETRY_AFTER_MS[tries - 1];
      if (waitMs === undefined) {
        const errorMessage = error instanceof Error ? error.message : String(error);
        await parts.deadLetters.send({ requestId, event, errorMessage });
        return { outcome: 'dead-lettered', requestId, tries };
      }
      await parts.sleep(waitMs);
    }
  }
}
