import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { StoreUnavailableError } from '../../../sidecar/tokenizer/core/errors.ts';
import { createMetrics } from '../../../sidecar/tokenizer/http/metrics.ts';
import { startSweeper } from '../../../sidecar/tokenizer/sweeper.ts';
import { captureLog } from '../../fakes/captured-log.ts';
import { MemoryJobStore } from '../../fakes/memory-job-store.ts';
import { MemorySweepStore } from '../../fakes/memory-sweep-store.ts';

const NOW = new Date('2026-03-04T05:06:07.008Z');

function start() {
  const store = new MemorySweepStore();
  const metrics = createMetrics({ process: false });
  const log = captureLog();
  const stop = startSweeper({
    store,
    jobs: new MemoryJobStore(),
    audit: { record: async () => undefined },
    holder: 'one',
    identity: 'tokenizer.tokenmesh.internal',
    now: () => NOW,
    everyMs: 1,
    metrics,
    logger: log.logger,
  });
  const until = async (isThere: () => Promise<boolean> | boolean): Promise<void> => {
    while (!(await isThere())) await sleep(1);
  };
  return { store, metrics, log, stop, until };
}

it('goes on after a sweep that failed, which is counted and told with its cause', async () => {
  const { store, metrics, log, stop, until } = start();
  store.add(NOW);
  store.onRemove = () => {
    throw new StoreUnavailableError(new TypeError('of the network'));
  };
  await until(() => log.lines().length > 0);
  store.onRemove = () => undefined;
  await until(() => store.items.length === 0);
  await stop();
  expect(log.lines()[0]).toMatchObject({ fault: 'StoreUnavailableError', cause: 'TypeError' });
  const text = await metrics.text();
  expect(text).toMatch(/^tokenmesh_sweep_failures_total [1-9]/m);
  expect(text).toMatch(/^tokenmesh_swept_items_total 1$/m);
});

it('asks for nothing more once it was stopped', async () => {
  const { store, stop, until } = start();
  await until(() => store.asked.length > 0);
  await stop();
  const asked = store.asked.length;
  await sleep(20);
  expect(store.asked).toHaveLength(asked);
});

it('stops amid a sweep that has much to do', async () => {
  const { store, stop, until } = start();
  for (let count = 0; count < 2_000; count += 1) store.add(NOW);
  let stopped: Promise<void> | undefined;
  store.onRemove = () => {
    stopped ??= stop();
  };
  await until(() => stopped !== undefined);
  await stopped;
  const left = store.items.length;
  expect(left).toBeGreaterThan(0);
  await sleep(20);
  expect(store.items).toHaveLength(left);
});
