import { describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { JobStore } from '../../sidecar/tokenizer/core/jobs.ts';

const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 2) + seconds * 1000);

/** What every {@link JobStore} does. */
export function describeJobStore(name: string, makeStore: () => JobStore): void {
  describe(`${name} keeps the contract of a job store`, () => {
    it('gives a job to one of many who ask at once', async () => {
      const [store, job] = [makeStore(), randomUUID()];
      const claims = await Promise.all(
        Array.from({ length: 8 }, (_, index) => store.claim(job, `task ${index}`, at(0), at(60))),
      );
      expect(claims.filter((claim) => claim !== 'busy')).toEqual([{}]);
    });

    it('lets the holder claim again, and another once the time is up, who gets what was saved', async () => {
      const [store, job] = [makeStore(), randomUUID()];
      await store.claim(job, 'one', at(0), at(60));
      expect(await store.save(job, 'one', at(90), '{"page":7}')).toBe('saved');
      expect(await store.claim(job, 'one', at(10), at(90))).toEqual({ progress: '{"page":7}' });
      expect(await store.claim(job, 'two', at(89), at(200))).toBe('busy');
      expect(await store.claim(job, 'two', at(90), at(200))).toEqual({ progress: '{"page":7}' });
    });

    it('saves nothing for who lost the job', async () => {
      const [store, job] = [makeStore(), randomUUID()];
      await store.claim(job, 'one', at(0), at(60));
      await store.claim(job, 'two', at(60), at(120));
      expect(await store.save(job, 'one', at(120), '{"page":1}')).toBe('lost');
      expect(await store.claim(job, 'two', at(61), at(120))).toEqual({});
    });
  });
}
