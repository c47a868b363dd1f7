import { describe, expect, it } from '@jest/globals';
import { createSecretKey, randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describeBranchKeySource } from '../../../../contracts/branch-key-source.contract.ts';
import { MemoryBranchKeys } from '../../../../fakes/memory-branch-keys.ts';
import { sealerUnderTest } from '../../../../support/sealer-under-test.ts';

const UNAVAILABLE = { code: 'ERR_KEY_UNAVAILABLE' };
const HOUR_MS = 3_600_000;

describeBranchKeySource('the memory key store', async () => {
  const source = new MemoryBranchKeys(['shop']);
  const { active = '' } = await source.describe('shop');
  source.rotate('shop');
  return { source, older: active };
});

describe('the key cache', () => {
  it('has a key fetched once for all who wait for it', async () => {
    const { keys, source } = sealerUnderTest(['shop']);
    const got = await Promise.all(Array.from({ length: 50 }, () => keys.active('shop', 16)));
    expect(new Set(got).size).toBe(1);
    expect(source.fetched).toEqual(['shop']);
  });

  it('asks KMS once in an hour, however much is sealed', async () => {
    const { keys, source, clock } = sealerUnderTest(['shop']);
    for (clock.ms = 0; clock.ms < HOUR_MS * 0.69; clock.ms += 1_000) await keys.active('shop', 16);
    expect(source.fetched).toHaveLength(1);
  });

  it('fetches a key again before its end, while the one it has goes on', async () => {
    const { keys, source, clock } = sealerUnderTest(['shop']);
    const before = await keys.active('shop', 16);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const fetch = source.fetch.bind(source);
    source.fetch = async (id, version) => {
      await held;
      return await fetch(id, version);
    };
    clock.ms = HOUR_MS * 0.7;
    for (let each = 0; each < 10; each += 1) expect(await keys.active('shop', 16)).toBe(before);
    release();
    await nextTurn();
    expect(await keys.active('shop', 16)).not.toBe(before);
    expect(source.fetched).toHaveLength(2);
    clock.ms = HOUR_MS;
    await keys.active('shop', 16);
    expect(source.fetched).toHaveLength(2);
  });

  it.each([
    ['messages', { messages: 10, bytes: 1e9 }, 1],
    ['bytes', { messages: 1e9, bytes: 10 }, 1],
  ])('fetches a key again after so many %s', async (_, limits, bytes) => {
    const { keys, source } = sealerUnderTest(['shop'], { limits: { ageMs: HOUR_MS, ...limits } });
    for (let each = 0; each < 7; each += 1) await keys.active('shop', bytes);
    expect(source.fetched).toHaveLength(1);
    await keys.active('shop', bytes);
    await nextTurn();
    expect(source.fetched).toHaveLength(2);
  });

  it.each([
    ['age', { ageMs: 1_000, messages: 1e9, bytes: 1e9 }],
    ['messages', { ageMs: HOUR_MS, messages: 10, bytes: 1e9 }],
    ['bytes', { ageMs: HOUR_MS, messages: 1e9, bytes: 160 }],
  ])('goes on without KMS up to the limit of %s, and refuses after it', async (_, limits) => {
    const { keys, source, clock } = sealerUnderTest(['shop'], { limits });
    await keys.active('shop', 16);
    source.isKmsDown = true;
    for (let each = 1; each < 10; each += 1) {
      clock.ms += 99;
      await keys.active('shop', 16);
      await nextTurn();
    }
    expect(keys.state()).toMatchObject({ isRefreshFailing: true });
    clock.ms += 110;
    await expect(keys.active('shop', 16)).rejects.toMatchObject(UNAVAILABLE);
    source.isKmsDown = false;
    expect(await keys.active('shop', 16)).toBeDefined();
    expect(keys.state()).toMatchObject({ isRefreshFailing: false });
  });

  it('tries again five seconds after a refresh that failed, and not at each use', async () => {
    const { keys, source, clock } = sealerUnderTest(['shop']);
    await keys.active('shop', 16);
    source.isKmsDown = true;
    for (let second = 0; second < 10; second += 1) {
      clock.ms = HOUR_MS * 0.7 + second * 1_000;
      await keys.active('shop', 16);
      await nextTurn();
    }
    expect(source.fetched).toHaveLength(1 + 2);
  });

  it('says how long it can go on without KMS', async () => {
    const { keys, clock } = sealerUnderTest(['shop']);
    expect(keys.state()).toBeUndefined();
    await keys.active('shop', 16);
    clock.ms = 600_500;
    expect(keys.state()).toEqual({ goodForSeconds: 2_999, isRefreshFailing: false });
  });

  it('has the key of a new version before it seals under it, and the old one until then', async () => {
    const { keys, source, clock } = sealerUnderTest(['shop']);
    const old = await keys.active('shop', 16);
    source.rotate('shop');
    source.isKmsDown = true;
    clock.ms = 5_000;
    expect(await keys.active('shop', 16)).toBe(old);
    source.isKmsDown = false;
    clock.ms = 10_000;
    expect((await keys.active('shop', 16))?.version).not.toEqual(old?.version);
  });

  it('does not go on under a version that was revoked, KMS or not', async () => {
    const { keys, source, clock } = sealerUnderTest(['shop']);
    await keys.active('shop', 16);
    const { active = '' } = await source.describe('shop');
    source.rotate('shop');
    source.revoke('shop', active);
    source.isKmsDown = true;
    clock.ms = 5_000;
    await expect(keys.active('shop', 16)).rejects.toMatchObject(UNAVAILABLE);
    expect(await keys.version('shop', active, 16)).toBeUndefined();
  });

  it('opens at once what another task sealed under a version that is new to this one', async () => {
    const { keys, source } = sealerUnderTest(['shop']);
    await keys.active('shop', 16);
    const version = source.rotate('shop');
    expect(await keys.version('shop', version, 16)).toBeDefined();
  });

  it('does not wait for a key store that does not answer, once it knows so', async () => {
    const { keys, source, clock } = sealerUnderTest(['shop']);
    await keys.active('shop', 16);
    source.isStoreDown = true;
    clock.ms = 5_000;
    await keys.active('shop', 16);
    const asked = new Promise<never>(() => undefined);
    source.describe = () => asked;
    for (clock.ms = 6_000; clock.ms < 60_000; clock.ms += 1_000) await keys.active('shop', 16);
  });

  it('finds a key that is made after it was asked for', async () => {
    const { keys, source } = sealerUnderTest([]);
    expect(await keys.active('shop', 16)).toBeUndefined();
    source.rotate('shop');
    expect(await keys.active('shop', 16)).toBeDefined();
  });

  it('holds no more keys than it may, and lets go of the one that was asked for longest ago', async () => {
    const { keys, source } = sealerUnderTest(['one', 'two', 'three'], { capacity: 2 });
    for (const id of ['one', 'two', 'three', 'two', 'one']) await keys.active(id, 16);
    expect(source.fetched).toEqual(['one', 'two', 'three', 'one']);
  });

  it('has no reference left to a key that it dropped', async () => {
    const { keys, source, clock } = sealerUnderTest(['shop']);
    const collected = new Set<string>();
    const registry = new FinalizationRegistry<string>((name) => collected.add(name));
    const fetch = source.fetch.bind(source);
    source.fetch = async (id, version) => {
      await fetch(id, version);
      const key = createSecretKey(randomBytes(32));
      registry.register(key, `key ${source.fetched.length}`);
      return key;
    };
    await keys.active('shop', 16);
    clock.ms = HOUR_MS;
    await keys.active('shop', 16);
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    for (let round = 0; round < 50 && collected.size === 0; round += 1) {
      collect();
      await nextTurn();
    }
    expect([...collected]).toEqual(['key 1']);
  });
});
