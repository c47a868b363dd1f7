import { describe, expect, it } from '@jest/globals';
import type { AuditEvent } from '../../../../sidecar/tokenizer/core/audit/record.ts';
import { SWEEP_SHARDS } from '../../../../sidecar/tokenizer/core/sweep-bucket.ts';
import { sweep } from '../../../../sidecar/tokenizer/core/sweeping.ts';
import { MemoryJobStore } from '../../../fakes/memory-job-store.ts';
import { MemorySweepStore } from '../../../fakes/memory-sweep-store.ts';

const START = new Date('2026-03-04T05:06:07.008Z');
const at = (seconds: number): Date => new Date(START.getTime() + seconds * 1000);

function setUp() {
  const store = new MemorySweepStore();
  const jobs = new MemoryJobStore();
  const clock = { now: START };
  const task = { isStopping: false };
  const events: AuditEvent[] = [];
  const parts = {
    store,
    jobs,
    audit: { record: async (some: readonly AuditEvent[]) => void events.push(...some) },
    identity: 'tokenizer.tokenmesh.internal',
    now: () => clock.now,
    isStopping: () => task.isStopping,
  };
  return { store, jobs, clock, task, events, sweepAs: (holder: string) => sweep({ ...parts, holder }) };
}

describe('a sweep', () => {
  it('removes what has expired to the millisecond, and nothing else', async () => {
    const { store, sweepAs } = setUp();
    for (const seconds of [-60, -1, 0]) store.add(at(seconds));
    for (const seconds of [0.001, 1, 600]) store.add(at(seconds));
    expect(await sweepAs('one')).toEqual({ items: 3, lagSeconds: 60 });
    expect(store.items.map(({ expiresAt }) => expiresAt)).toEqual([0.001, 1, 600].map(at));
  });

  it('records each record that it removes, and no other item', async () => {
    const { store, events, sweepAs } = setUp();
    store.add(at(-1));
    store.add(at(-1), 'code');
    await sweepAs('one');
    expect(events).toEqual([
      {
        tenant: 'shop',
        token: 'token 0',
        at: START,
        identity: 'tokenizer.tokenmesh.internal',
        operation: 'sweep',
        outcome: 'ok',
        stored: 'removed',
      },
    ]);
  });

  it('goes on where the last one left off, whoever did it, and looks at the last minutes again', async () => {
    const { store, clock, sweepAs } = setUp();
    await sweepAs('one');
    expect(store.asked).toHaveLength(11 * SWEEP_SHARDS);
    store.asked.length = 0;
    clock.now = at(3_600);
    store.add(at(30));
    expect(await sweepAs('two')).toMatchObject({ items: 1 });
    expect(store.asked).toHaveLength(63 * SWEEP_SHARDS);
    store.asked.length = 0;
    await sweepAs('two');
    expect(store.asked).toHaveLength(3 * SWEEP_SHARDS);
  });

  it('leaves the work to the task that has it, until that is late', async () => {
    const { store, clock, sweepAs } = setUp();
    await sweepAs('one');
    store.add(at(-1));
    expect(await sweepAs('two')).toBe('busy');
    clock.now = at(120);
    expect(await sweepAs('two')).toMatchObject({ items: 1 });
    expect(await sweepAs('one')).toBe('busy');
  });

  it('sweeps next time what it could not sweep', async () => {
    const { store, clock, sweepAs } = setUp();
    store.add(at(-1));
    store.isDown = true;
    await expect(sweepAs('one')).rejects.toThrow('down');
    store.isDown = false;
    clock.now = at(7_200);
    await sweepAs('one');
    expect(store.items).toEqual([]);
  });

  it('records what it removed of a page, though another item of it could not be removed', async () => {
    const { store, events, clock, sweepAs } = setUp();
    for (let count = 0; count < 40; count += 1) store.add(at(-1));
    store.onRemove = ({ key }) => {
      if (key?.token === 'token 7') throw new Error('down');
    };
    await expect(sweepAs('one')).rejects.toThrow('down');
    expect(events.map(({ token }) => token)).not.toContain('token 7');
    store.onRemove = () => undefined;
    clock.now = at(120);
    await sweepAs('two');
    expect(store.items).toEqual([]);
    expect(new Set(events.map(({ token }) => token)).size).toBe(40);
  });

  it('ends with the page that it is at when its task is to stop, and another goes on at once', async () => {
    const { store, events, clock, task, sweepAs } = setUp();
    for (let count = 0; count < 400; count += 1) store.add(at(-300 + count / 2));
    clock.now = at(0);
    await sweepAs('one');
    expect(store.items).toHaveLength(0);
    for (let count = 0; count < 400; count += 1) store.add(at(600 + count), 'record', `more ${count}`);
    clock.now = at(1_200);
    store.onRemove = () => (task.isStopping = true);
    const { items } = (await sweepAs('one')) as { items: number };
    expect(items).toBeGreaterThan(0);
    expect(items).toBeLessThan(20);
    expect(store.items).toHaveLength(400 - items);
    store.onRemove = () => undefined;
    task.isStopping = false;
    expect(await sweepAs('two')).toMatchObject({ items: 400 - items });
    expect(new Set(events.map(({ token }) => token)).size).toBe(800);
  });

  it('looks at the last minutes again, though the one before was stopped in the very last', async () => {
    const { store, task, sweepAs } = setUp();
    store.add(at(0));
    store.onRemove = () => (task.isStopping = true);
    await sweepAs('one');
    store.add(at(-60));
    store.add(at(-1));
    store.onRemove = () => undefined;
    task.isStopping = false;
    expect(await sweepAs('two')).toMatchObject({ items: 2 });
  });
});
