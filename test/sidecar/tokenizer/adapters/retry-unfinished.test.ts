import { describe, expect, it } from '@jest/globals';
import { retryUnfinished } from '../../../../sidecar/tokenizer/adapters/retry-unfinished.ts';

function options(signal: AbortSignal = new AbortController().signal) {
  const faults: unknown[] = [];
  return { faults, signal, onFault: (error: unknown) => faults.push(error) };
}

describe('a batch call with unfinished entries', () => {
  it('is sent again with what was left, until nothing is', async () => {
    const sent: number[][] = [];
    const left = await retryUnfinished(
      [1, 2, 3],
      async (pending) => {
        sent.push([...pending]);
        return pending.slice(1);
      },
      options(),
    );
    expect(left).toEqual([]);
    expect(sent).toEqual([[1, 2, 3], [2, 3], [3]]);
  });

  it('is given up after five rounds that finish nothing', async () => {
    let rounds = 0;
    const left = await retryUnfinished(
      [1, 2],
      async (pending) => {
        rounds += 1;
        return pending;
      },
      options(),
    );
    expect([rounds, left]).toEqual([5, [1, 2]]);
  });

  it('tells of a call that failed, and sends no other', async () => {
    const told = options();
    const failure = new Error('throttled');
    const left = await retryUnfinished([1], async () => Promise.reject(failure), told);
    expect([left, told.faults]).toEqual([[1], [failure]]);
  });

  it('ends with the deadline, between rounds too', async () => {
    const controller = new AbortController();
    const told = options(controller.signal);
    const left = await retryUnfinished(
      [1],
      async (pending) => {
        controller.abort();
        return pending;
      },
      told,
    );
    expect(left).toEqual([1]);
    expect(told.faults).toHaveLength(1);
  });
});
