/**
 * Envoys, agents and apps are killed by SIGKILL, one after the other, while orders are placed and values tokenized.
 * A node of which a process died is replaced whole, as ECS replaces a task.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { sidecarStatus } from '../../operator/facts/agent.ts';
import { nodeState } from '../../operator/run-state.ts';
import { isReady } from '../readiness.ts';
import { seededRandom } from '../seeded-random.ts';
import { loadWhile } from './load.ts';
import { unpaidOf, placeOrders } from './orders.ts';
import { seconds, settle, untilBack, verdict } from './outage.ts';
import type { OwnMesh } from './own-mesh.ts';
import type { FaultScene } from './scene.ts';

const PARTS = ['Envoy', 'agent', 'app'] as const;
type Part = (typeof PARTS)[number];

interface Victim {
  readonly node: string;
  readonly part: Part;
}

/** All that a request passes. A gateway has no app. */
const VICTIMS: readonly Victim[] = ['gateway', 'order', 'paybill', 'tokenizer'].flatMap((node) =>
  PARTS.filter((part) => node !== 'gateway' || part !== 'app').map((part) => ({ node, part })),
);

const READY_WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 20;
const PAUSE_AT_MOST_MS = 500;
const SAID_EVERY = 10;

/** What a caller may get from a service that has just been killed, or that is not back yet. */
const INTERRUPTED =
  /^(answered|no answer|(item )?503 ERR_(BACKEND|STORE|KEY|AUDIT|TOKENIZER|ORDERS|TOKEN_KEYS)_UNAVAILABLE|504 ERR_BACKEND_TIMEOUT)$/;

export const kills: FaultScene = {
  title: 'Envoys, agents and apps are killed by SIGKILL at random while requests go on',
  async play(mesh, say, { count, seed }) {
    const random = fractions(seed);
    const orders = await placeOrders(mesh);
    const { result: outages, answers } = await loadWhile(
      mesh.callers,
      mesh.ledger,
      async () => {
        const took: (Victim & { readonly ms: number })[] = [];
        for (let turn = 0; turn < count; turn += 1) {
          const victim = VICTIMS[Math.floor(random() * VICTIMS.length)];
          if (victim === undefined) throw new Error('expected a victim');
          took.push({ ...victim, ms: await kill(mesh, victim) });
          if (took.length % SAID_EVERY === 0) say(`  killed            ${took.length} of ${count}`);
          await sleep(random() * PAUSE_AT_MOST_MS);
        }
        await untilBack(mesh);
        return took;
      },
      [orders.place],
    );
    for (const part of PARTS)
      say(`  ${part.padEnd(17)} ${timesOf(outages.filter((each) => each.part === part))}`);
    say(`  callers got       ${String(answers)}`);
    say(`  longest answer    ${seconds(answers.longestMs)}`);
    const unpaid = await unpaidOf(orders);
    say(
      `  orders            ${orders.placed.length} placed, ${orders.placed.length - unpaid.length} of them paid afterwards`,
    );
    const strangers = answers.names.filter((name) => !INTERRUPTED.test(name));
    const broken = [
      ...strangers.map((name) => `callers got ${name}`),
      ...(answers.wrong === 0 ? [] : [`${answers.wrong} tokens opened to another value`]),
      ...unpaid.map((got) => `an order that was confirmed cannot be paid: ${got}`),
      ...(await settle(mesh, say)),
    ];
    return verdict(broken, say);
  },
};

/** @returns How long it took until the node was whole and ready again. */
async function kill(mesh: OwnMesh, { node, part }: Victim): Promise<number> {
  const state = nodeState(mesh.state, node);
  const before = mesh.runner.pidsOf(node);
  const pid = part === 'Envoy' ? (await sidecarStatus(state.agentSocket))?.envoyPid : before[part];
  if (pid === undefined) throw new Error(`expected the ${part} of ${node} to run`);
  const started = performance.now();
  process.kill(pid, 'SIGKILL');
  // The agent is another as soon as the task is: until then the one that is there may think that all is well.
  while (mesh.runner.pidsOf(node).agent === before.agent || !(await isReady(state))) {
    if (performance.now() - started > READY_WITHIN_MS) {
      throw new Error(
        `expected ${node} to be back within ${READY_WITHIN_MS / 1000} s after its ${part} was killed`,
      );
    }
    await sleep(LOOK_EVERY_MS);
  }
  return performance.now() - started;
}

function timesOf(kills: readonly { readonly ms: number }[]): string {
  const sorted = kills.map(({ ms }) => ms).toSorted((a, b) => a - b);
  if (sorted.length === 0) return 'not killed';
  const [median = 0, longest = 0] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  return `killed ${sorted.length} times; ready again after ${seconds(median)} (median), ${seconds(longest)} at most`;
}

/** From 0 up to 1, the same for the same seed. */
function fractions(seed: number): () => number {
  const bytes = seededRandom(seed);
  return () => Buffer.from(bytes(4)).readUInt32BE() / 2 ** 32;
}
