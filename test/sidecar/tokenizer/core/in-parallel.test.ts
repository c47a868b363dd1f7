import { describe, expect, it } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { inParallel } from '../../../../sidecar/tokenizer/core/in-parallel.ts';

describe('mapping in parallel', () => {
  it('keeps the order and never has more under way than its width', async () => {
    let underWay = 0;
    let most = 0;
    const items = Array.from({ length: 50 }, (_, index) => index);
    const results = await inParallel(items, 4, async (item) => {
      underWay += 1;
      most = Math.max(most, underWay);
      for (let turns = item % 3; turns >= 0; turns -= 1) await turn();
      underWay -= 1;
      return item * 2;
    });
    expect(results).toEqual(items.map((item) => item * 2));
    expect(most).toBe(4);
  });

  it('starts nothing more once a call failed', async () => {
    const started: number[] = [];
    const run = inParallel([0, 1, 2, 3, 4, 5], 2, async (item) => {
      started.push(item);
      await turn();
      if (item === 0) throw new Error('no');
    });
    await expect(run).rejects.toThrow('no');
    await turn();
    await turn();
    expect(started.length).toBeLessThan(4);
  });

  it('has nothing to do for no items', async () => {
    expect(await inParallel([], 4, async () => 1)).toEqual([]);
  });
});
