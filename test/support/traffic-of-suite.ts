import { afterAll, beforeAll } from '@jest/globals';
import { Agent, request } from 'undici';
import { loadDuring, type Load, type Shop } from '../../local/traffic.ts';
import { nodeState } from '../../operator/run-state.ts';
import { testCard } from '../../sample-apps/test-cards.ts';
import { callAs } from './mesh-call.ts';
import type { MeshOfSuite } from './mesh-of-suite.ts';
import { mesh, type Output } from './running-mesh.ts';
import { shopOf } from '../../local/shop-of.ts';

export const CARD = testCard('visa', 16).number;

/** What the tests do to a mesh while they look at it. */
export interface Traffic {
  /** Orders go on until it is done. */
  readonly underLoad: <Result>(work: () => Promise<Result>) => Promise<{ result: Result; load: Load }>;
  /** Has the outsider try everything. */
  readonly sendOutsider: () => Promise<void>;
  readonly tokenOf: (value: string) => Promise<string>;
  /** Runs the operator's command. */
  readonly ask: (...words: string[]) => Promise<Output>;
  /** The same, for what it prints as JSON. */
  readonly answerOf: (...words: string[]) => Promise<unknown>;
}

/** Traffic of one suite's mesh, while its tests run. */
export function trafficOf(suite: MeshOfSuite): Traffic {
  let shop: Shop;
  beforeAll(async () => {
    shop = await shopOf(suite.state);
  });
  afterAll(async () => {
    await shop.dispatcher.close();
  });
  const tokenOf = async (value: string): Promise<string> => {
    const { document } = await callAs(suite.state, 'order', 'POST', '/v1/tokens', {
      fields: { number: { class: 'pan', value } },
    });
    return String(document['token']);
  };
  const ask = async (...words: string[]): Promise<Output> => await mesh(suite.run, words);
  return {
    ask,
    answerOf: async (...words) => JSON.parse((await ask(...words)).stdout) as unknown,
    tokenOf,
    underLoad: async (work) => await loadDuring(shop, 2, work),
    async sendOutsider() {
      const { appSocket = '' } = nodeState(suite.state, 'outsider');
      const dispatcher = new Agent({ connect: { socketPath: appSocket } });
      const { body } = await request('http://outsider/attempts', {
        dispatcher,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ token: await tokenOf(CARD), orderId: crypto.randomUUID() }),
      });
      await body.dump();
      await dispatcher.close();
    },
  };
}
