import { setTimeout as sleep } from 'node:timers/promises';
import { request, type Agent } from 'undici';
import type { Placement } from '../../mesh/envoy/types.ts';
import { reachAdmin } from './reach-admin.ts';

const LOOK_EVERY_MS = 50;

/** What is under way on this Envoy: requests from peers, and those of the app. */
const UNDER_WAY = '^http\\.(inbound|egress)\\.downstream_rq_active$';

/**
 * Tells every peer to take its next request elsewhere, and waits until what is under way has been
 * answered: Envoy by itself drops it when it is told to end.
 *
 * @param atMostSeconds - Then it is dropped all the same.
 */
export async function drain(admin: Placement['admin'], atMostSeconds: number): Promise<void> {
  const { url, dispatcher } = reachAdmin(admin);
  const deadline = performance.now() + atMostSeconds * 1000;
  try {
    const told = await request(`${url}/drain_listeners?graceful`, {
      dispatcher,
      method: 'POST',
      headersTimeout: 1_000,
    });
    await told.body.dump();
    while (performance.now() < deadline && (await requestsUnderWay(url, dispatcher)) > 0)
      await sleep(LOOK_EVERY_MS);
  } catch {
    // An Envoy that does not answer has nothing left to drain.
  } finally {
    await dispatcher.close();
  }
}

async function requestsUnderWay(url: string, dispatcher: Agent): Promise<number> {
  const { body } = await request(`${url}/stats?format=json&filter=${encodeURIComponent(UNDER_WAY)}`, {
    dispatcher,
    headersTimeout: 1_000,
  });
  const { stats } = (await body.json()) as { stats: { value?: number }[] };
  return stats.reduce((sum, { value = 0 }) => sum + value, 0);
}
