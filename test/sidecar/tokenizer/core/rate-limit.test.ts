import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { tokenizationMesh } from '../../../../mesh/tokenization-mesh.ts';
import {
  createRateLimiter,
  DEFAULT_RATE,
  rateLimited,
  ratesOf,
  type RateLimiter,
} from '../../../../sidecar/tokenizer/core/rate-limit.ts';
import { parseRateOverrides } from '../../../../sidecar/tokenizer/core/rate-overrides.ts';
import { withNode } from '../../../support/meshes.ts';

/** Ten items a second, twenty at once, under a clock that the test moves. */
function limiterAt(clock: { ms: number }, rate = { perSecond: 10, burst: 20 }): RateLimiter {
  return createRateLimiter(
    () => rate,
    () => clock.ms,
  );
}

describe('a rate limit', () => {
  it('lets the burst through at once, then the rate', () => {
    const clock = { ms: 5_000 };
    const limiter = limiterAt(clock);
    expect(limiter.take('order', 'tokenize', 20)).toBe(0);
    expect(limiter.take('order', 'tokenize', 1)).toBeCloseTo(0.1);
    clock.ms += 100;
    expect(limiter.take('order', 'tokenize', 1)).toBe(0);
    expect(limiter.take('order', 'tokenize', 5)).toBeCloseTo(0.5);
  });

  it('takes nothing for a call that it refuses', () => {
    const clock = { ms: 0 };
    const limiter = limiterAt(clock);
    expect(limiter.take('order', 'tokenize', 15)).toBe(0);
    for (let tries = 0; tries < 10; tries += 1) {
      expect(limiter.take('order', 'tokenize', 6)).toBeGreaterThan(0);
    }
    expect(limiter.take('order', 'tokenize', 5)).toBe(0);
  });

  it('keeps a bucket for each node and each operation', () => {
    const limiter = limiterAt({ ms: 0 });
    expect(limiter.take('order', 'tokenize', 20)).toBe(0);
    expect(limiter.take('order', 'delete', 20)).toBe(0);
    expect(limiter.take('paybill', 'tokenize', 20)).toBe(0);
    expect(limiter.take('order', 'tokenize', 1)).toBeGreaterThan(0);
  });

  it('fills a bucket no further than the burst, however long the pause', () => {
    const clock = { ms: 0 };
    const limiter = limiterAt(clock);
    limiter.take('order', 'tokenize', 20);
    clock.ms += 3_600_000;
    expect(limiter.take('order', 'tokenize', 20)).toBe(0);
    expect(limiter.take('order', 'tokenize', 1)).toBeGreaterThan(0);
  });

  it('lets a call of more items than the burst through when full, and has it paid off', () => {
    const clock = { ms: 0 };
    const limiter = limiterAt(clock);
    expect(limiter.take('order', 'tokenize', 50)).toBe(0);
    expect(limiter.take('order', 'tokenize', 1)).toBeCloseTo(3.1);
    clock.ms += 3_100;
    expect(limiter.take('order', 'tokenize', 50)).toBeCloseTo(1.9);
    expect(limiter.take('order', 'tokenize', 1)).toBe(0);
  });

  it('tells the wait without taking anything', () => {
    const limiter = limiterAt({ ms: 0 });
    for (let asked = 0; asked < 50; asked += 1) expect(limiter.waitSeconds('order', 'tokenize')).toBe(0);
    limiter.take('order', 'tokenize', 20);
    expect(limiter.waitSeconds('order', 'tokenize')).toBeCloseTo(0.1);
  });

  it('is not fooled by a clock that goes back', () => {
    const clock = { ms: 60_000 };
    const limiter = limiterAt(clock);
    limiter.take('order', 'tokenize', 20);
    clock.ms = 0;
    expect(limiter.take('order', 'tokenize', 1)).toBeGreaterThan(0);
  });

  it('lets through no more than the burst and the rate allow, whatever is sent when', () => {
    const call = fc.record({ afterMs: fc.nat(500), items: fc.integer({ min: 1, max: 20 }) });
    fc.assert(
      fc.property(fc.array(call, { maxLength: 60 }), (calls) => {
        const clock = { ms: 0 };
        const limiter = limiterAt(clock);
        let through = 0;
        return calls.every(({ afterMs, items }) => {
          clock.ms += afterMs;
          if (limiter.take('order', 'tokenize', items) === 0) through += items;
          return through <= 20 + (clock.ms / 1000) * 10 + 1e-6;
        });
      }),
    );
  });

  it('lets the same call through after the seconds that it told', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 }), (first, second) => {
        const clock = { ms: 0 };
        const limiter = limiterAt(clock);
        limiter.take('order', 'tokenize', first);
        clock.ms += limiter.take('order', 'tokenize', second) * 1000 + 1e-6;
        return limiter.take('order', 'tokenize', second) === 0 || second <= 20 - first;
      }),
    );
  });
});

describe('the rates of a mesh', () => {
  const mesh = withNode('order', (node) => ({
    ...node,
    vaultAccess: { tenants: ['shop'], grants: [], limits: { tokenize: { perSecond: 7, burst: 8 } } },
  }));

  it("are the definition's, and an override's before those, and the default where there is neither", () => {
    const rateOf = ratesOf(mesh, { order: { delete: { perSecond: 1, burst: 2 } } });
    expect(rateOf('order', 'tokenize')).toEqual({ perSecond: 7, burst: 8 });
    expect(rateOf('order', 'delete')).toEqual({ perSecond: 1, burst: 2 });
    expect(rateOf('order', 'detokenize')).toBe(DEFAULT_RATE);
    expect(rateOf('gateway', 'detokenize')).toBe(DEFAULT_RATE);
    const overridden = ratesOf(mesh, { order: { tokenize: { perSecond: 1, burst: 1 } } });
    expect(overridden('order', 'tokenize')).toEqual({ perSecond: 1, burst: 1 });
  });

  it('let twenty whole batches through at once by default', () => {
    expect(DEFAULT_RATE.burst).toBeGreaterThanOrEqual(20 * 1_000);
  });

  it('are told in the refusal, with what to do', () => {
    const error = rateLimited('order', 'tokenize', { perSecond: 7, burst: 8 });
    expect(error).toMatchObject({ code: 'ERR_RATE_LIMITED' });
    expect(error.message).toContain('7 in a second and 8 at once');
    expect(error.remedy).toContain('Retry-After');
  });
});

describe('limits given as JSON', () => {
  it.each([undefined, '', '{}'])('are none where there is %j', (text) => {
    expect(parseRateOverrides(text, tokenizationMesh)).toEqual({ overrides: {}, problems: [] });
  });

  it.each([
    ['fast', 'expected one JSON object'],
    ['[]', 'expected one JSON object'],
    ['{"ordr":{}}', '"ordr": expected one of order, paybill'],
    ['{"order":5}', 'order: expected an object of operations'],
    ['{"order":{"shred":{"perSecond":1,"burst":1}}}', 'order."shred": expected one of tokenize'],
    ['{"order":{"tokenize":{"perSecond":-1,"burst":1}}}', 'order.tokenize: expected just perSecond'],
    ['{"order":{"tokenize":{"perSecond":1,"burst":1,"per":1}}}', 'order.tokenize: expected just perSecond'],
    ['{"order":{"tokenize":null}}', 'order.tokenize: expected just perSecond'],
  ])('refuse %s', (text, problem) => {
    const { overrides, problems } = parseRateOverrides(text, tokenizationMesh);
    expect([overrides, problems]).toEqual([{}, [expect.stringContaining(problem)]]);
  });

  it('tell every problem at once, with no long row of digits', () => {
    const text = '{"4111111111111111":{},"order":{"a":1,"tokenize":{}}}';
    const { problems } = parseRateOverrides(text, tokenizationMesh);
    expect(problems).toHaveLength(3);
    expect(problems.join()).not.toMatch(/\d{6}/);
  });
});
