/** The clock of the tokenizer's app and agent goes wrong, and right again: each is a jump forward and a jump back. */

import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { sidecarStatus } from '../../operator/facts/agent.ts';
import { nodeState } from '../../operator/run-state.ts';
import { createEgress } from '../../runtime/egress.ts';
import type { Outage } from './outage.ts';
import type { OwnMesh } from './own-mesh.ts';

/** ACM Private CA dates a certificate an hour back: of a clock that is further behind, a new one is not valid yet. */
const AHEAD_MS = 45 * 60_000;
const TAKEN_WITHIN_MS = 10_000;
const SECONDS = 6;

function jump(title: string, aheadMs: number): Outage {
  return {
    title,
    seconds: SECONDS,
    async begin(mesh, say) {
      if (mesh.clock === undefined) throw new Error('expected a mesh whose tokenizer has a clock of its own');
      mesh.clock.set(aheadMs);
      await untilTaken(mesh, aheadMs);
      const seen = await seenAheadMs(mesh);
      say(`  clocks ahead      agent ${minutes(seen.agentMs)}, app ${minutes(seen.appMs)}`);
      return () => {
        mesh.clock?.set(0);
        const clocks = [seen.agentMs, seen.appMs];
        return clocks.every((ms) => isNear(ms, aheadMs)) ? clocks.length : 0;
      };
    },
    mayGet: [],
  };
}

export const CLOCK_FAULTS: Readonly<Record<string, Outage>> = {
  'clock-forward': jump(
    'the clock of the tokenizer and its agent jumps 45 minutes ahead, and back',
    AHEAD_MS,
  ),
  'clock-back': jump('the clock of the tokenizer and its agent jumps 45 minutes back, and ahead', -AHEAD_MS),
};

async function untilTaken(mesh: OwnMesh, aheadMs: number): Promise<void> {
  const started = performance.now();
  while (performance.now() - started < TAKEN_WITHIN_MS) {
    const { agentMs, appMs } = await seenAheadMs(mesh);
    if (isNear(agentMs, aheadMs) && isNear(appMs, aheadMs)) return;
    await sleep(200);
  }
}

/** By what the agent says of the time, and by the time that the app gives a new record. */
async function seenAheadMs({ state, callers, ledger }: OwnMesh): Promise<{ agentMs: number; appMs: number }> {
  const status = await sidecarStatus(nodeState(state, 'tokenizer').agentSocket);
  const card = ledger.nextCard();
  const { item } = await callers.tokenize(card);
  ledger.write(card, item);
  const dispatcher = createEgress(nodeState(state, 'order').egressSocket);
  const { body } = await request(`http://tokenizer/v1/tokens/${item.token ?? ''}`, { dispatcher });
  const { createdAt } = (await body.json()) as { readonly createdAt?: string };
  await dispatcher.close();
  return { agentMs: aheadOf(status?.now), appMs: aheadOf(createdAt) };
}

function aheadOf(time: string | undefined): number {
  return Date.parse(time ?? '') - Date.now();
}

function isNear(ms: number, expectedMs: number): boolean {
  return Math.abs(ms - expectedMs) < 60_000;
}

function minutes(ms: number): string {
  return `${(ms / 60_000).toFixed(1)} min`;
}
