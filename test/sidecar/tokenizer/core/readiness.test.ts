import { describe, expect, it } from '@jest/globals';
import { AuditUnavailableError } from '../../../../sidecar/tokenizer/core/errors.ts';
import { createReadiness } from '../../../../sidecar/tokenizer/core/readiness.ts';
import { MemoryFieldSealer } from '../../../fakes/memory-field-sealer.ts';
import { MemoryTokenStore } from '../../../fakes/memory-token-store.ts';

function setUp(tenants: readonly string[] = ['shop']) {
  const store = new MemoryTokenStore();
  const sealer = new MemoryFieldSealer(['shop']);
  const clock = { ms: 0 };
  const checkReady = createReadiness({ store, sealer, tenants, now: () => new Date(clock.ms) });
  return { store, sealer, clock, checkReady };
}

describe('readiness', () => {
  it('holds while the store answers and every tenant has its key', async () => {
    await expect(setUp().checkReady()).resolves.toBeUndefined();
  });

  it('says which part is not available', async () => {
    const { store, checkReady } = setUp();
    store.isDown = true;
    await expect(checkReady()).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
    await expect(setUp(['shop', 'keyless']).checkReady()).rejects.toMatchObject({
      code: 'ERR_KEY_UNAVAILABLE',
    });
  });

  it('does not hold while the audit could not be written', async () => {
    const { store, sealer } = setUp();
    const audit = {
      checkReady: async () => {
        throw new AuditUnavailableError();
      },
    };
    const checkReady = createReadiness({ store, sealer, audit, tenants: ['shop'], now: () => new Date(0) });
    await expect(checkReady()).rejects.toMatchObject({ code: 'ERR_AUDIT_UNAVAILABLE' });
  });

  it('asks again only after three seconds, whatever the answer was', async () => {
    const { sealer, store, clock, checkReady } = setUp();
    await checkReady();
    await checkReady();
    expect(sealer.opened).toBe(1);
    store.isDown = true;
    clock.ms = 2_999;
    await expect(checkReady()).resolves.toBeUndefined();
    clock.ms = 3_000;
    await expect(checkReady()).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
  });
});
