import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  HONEY_KNOWN_WITHIN_MS,
  watchHoneyTokens,
} from '../../../../sidecar/tokenizer/adapters/honey-watch.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('the watch over honey tokens', () => {
  it('knows of a new one within its time, and of one that was removed', async () => {
    const listed = ['a'];
    const watch = watchHoneyTokens(
      async () => [...listed],
      () => undefined,
    );
    await watch.refresh();
    expect([watch.has('a'), watch.has('b')]).toEqual([true, false]);
    listed.splice(0, 1, 'b');
    await jest.advanceTimersByTimeAsync(HONEY_KNOWN_WITHIN_MS);
    expect([watch.has('a'), watch.has('b')]).toEqual([false, true]);
    watch.close();
  });

  it('goes on with those that it has where they cannot be read, and says so', async () => {
    const faults: unknown[] = [];
    let isDown = false;
    const watch = watchHoneyTokens(
      async () => {
        if (isDown) throw new Error('down');
        return ['a'];
      },
      (error) => faults.push(error),
    );
    await watch.refresh();
    isDown = true;
    await jest.advanceTimersByTimeAsync(HONEY_KNOWN_WITHIN_MS);
    expect([watch.has('a'), faults.length]).toEqual([true, 2]);
    watch.close();
  });
});
