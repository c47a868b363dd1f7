import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createBranchKeyCache } from '../../../../sidecar/tokenizer/adapters/branch-key-cache.ts';

const HOUR_MS = 3_600_000;

type BranchKey = Parameters<ReturnType<typeof createBranchKeyCache>['putBranchKeyMaterial']>[1];

/** What the cache knows of a key: that it can be overwritten. */
function newKey(branchKeyIdentifier = 'any'): BranchKey {
  const bytes = Buffer.alloc(32, 7);
  const key = { branchKeyIdentifier, branchKey: () => bytes, zeroUnencryptedDataKey: () => bytes.fill(0) };
  return key as unknown as BranchKey;
}

function isOverwritten(key: BranchKey): boolean {
  return key.branchKey().every((byte) => byte === 0);
}

function setUp() {
  const clock = { ms: 1_000_000 };
  return { clock, cache: createBranchKeyCache({ now: () => clock.ms, capacity: 3 }) };
}

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('the cache of branch keys', () => {
  it('gives a key until its time is over', () => {
    const { cache, clock } = setUp();
    const key = newKey();
    cache.putBranchKeyMaterial('a', key, HOUR_MS);
    clock.ms += HOUR_MS - 1;
    expect(cache.getBranchKeyMaterial('a')).toEqual({ response: key, now: 1_000_000 });
    clock.ms += 1;
    expect(cache.getBranchKeyMaterial('a')).toBe(false);
    expect(cache.getBranchKeyMaterial('b')).toBe(false);
  });

  it('overwrites a key that has gone, but not while an operation may hold it', () => {
    const { cache, clock } = setUp();
    const [expired, replaced, deleted] = [newKey(), newKey(), newKey()];
    cache.putBranchKeyMaterial('a', expired, 1);
    cache.putBranchKeyMaterial('b', replaced, HOUR_MS);
    cache.putBranchKeyMaterial('c', deleted, HOUR_MS);
    clock.ms += 2;
    cache.getBranchKeyMaterial('a');
    cache.putBranchKeyMaterial('b', newKey(), HOUR_MS);
    cache.del('c');
    const gone = [expired, replaced, deleted];
    jest.advanceTimersByTime(9_999);
    expect(gone.map(isOverwritten)).toEqual([false, false, false]);
    jest.advanceTimersByTime(1);
    expect(gone.map(isOverwritten)).toEqual([true, true, true]);
  });

  it('forgets every version of one branch key, and no other', () => {
    const { cache } = setUp();
    const [old, current, other] = [newKey('shop'), newKey('shop'), newKey('bank')];
    cache.putBranchKeyMaterial('a', old, HOUR_MS);
    cache.putBranchKeyMaterial('b', current, HOUR_MS);
    cache.putBranchKeyMaterial('c', other, HOUR_MS);
    cache.forget('shop');
    expect(['a', 'b'].map((id) => cache.getBranchKeyMaterial(id))).toEqual([false, false]);
    expect(cache.getBranchKeyMaterial('c')).toMatchObject({ response: other });
    jest.advanceTimersByTime(10_000);
    expect([old, current, other].map(isOverwritten)).toEqual([true, true, false]);
  });

  it('holds no more keys than it may: the one that was put first goes', () => {
    const { cache } = setUp();
    for (const id of ['a', 'b', 'c', 'd']) cache.putBranchKeyMaterial(id, newKey(), HOUR_MS);
    expect(['a', 'b', 'c', 'd'].map((id) => cache.getBranchKeyMaterial(id) !== false)).toEqual([
      false,
      true,
      true,
      true,
    ]);
  });

  it('never overwrites a key that was put again by those who waited for it together', () => {
    const { cache } = setUp();
    const key = newKey();
    cache.putBranchKeyMaterial('a', key, HOUR_MS);
    cache.putBranchKeyMaterial('a', key, HOUR_MS);
    jest.advanceTimersByTime(60_000);
    expect(isOverwritten(key)).toBe(false);
  });
});
