import { describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeadlineExceededError, withDeadline } from '../../../../sidecar/tokenizer/adapters/deadline.ts';

describe('a deadline', () => {
  it('lets an answer through, and a failure as it is', async () => {
    expect(await withDeadline(1_000, async () => 'done')).toBe('done');
    await expect(withDeadline(1_000, async () => Promise.reject(new TypeError('no')))).rejects.toThrow(
      TypeError,
    );
  });

  it('ends the wait for a call that does not stop', async () => {
    const never = new Promise<never>(() => undefined);
    await expect(withDeadline(5, () => never)).rejects.toThrow(DeadlineExceededError);
  });

  it('aborts a call that can stop', async () => {
    let reason: unknown;
    const call = async (signal: AbortSignal): Promise<void> => {
      signal.addEventListener('abort', () => {
        reason = signal.reason;
      });
      await sleep(10_000, undefined, { signal });
    };
    await expect(withDeadline(5, call)).rejects.toThrow(DeadlineExceededError);
    expect(reason).toBeInstanceOf(DeadlineExceededError);
  });
});
