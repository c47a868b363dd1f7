import { setTimeout as sleep } from 'node:timers/promises';

/** Rounds in a row that finish nothing, before what is left is given up. */
const IDLE_ROUNDS = 5;
const FIRST_PAUSE_MS = 50;

export interface RetryOptions {
  /** Ends the rounds, whatever is left. */
  readonly signal: AbortSignal;
  /** Told of a call that failed, since the outcome has no room for the cause. */
  readonly onFault: (error: unknown) => void;
}

/**
 * Sends a batch, then what is left of it, with a longer pause each time nothing was finished.
 *
 * The pause is random up to its bound ("full jitter"), so that callers who were
 * throttled together do not come back together.
 *
 * @param send - Resolves to the entries that the service did not get to.
 * @returns What stayed unfinished: after a failed call, that may have happened all the same.
 */
export async function retryUnfinished<Entry>(
  entries: readonly Entry[],
  send: (pending: readonly Entry[]) => Promise<readonly Entry[]>,
  { signal, onFault }: RetryOptions,
): Promise<readonly Entry[]> {
  let pending = entries;
  let idleRounds = 0;
  try {
    while (pending.length > 0 && idleRounds < IDLE_ROUNDS) {
      const left = await send(pending);
      idleRounds = left.length < pending.length ? 0 : idleRounds + 1;
      pending = left;
      if (pending.length > 0)
        await sleep(Math.random() * FIRST_PAUSE_MS * 2 ** idleRounds, undefined, { signal });
    }
  } catch (error) {
    onFault(error);
  }
  return pending;
}
