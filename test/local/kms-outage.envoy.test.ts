/**
 * KMS refuses while the mesh runs: values go on being sealed and opened under the key that is held, the
 * service says for how long, refuses after that, and comes back by itself.
 *
 * @module
 */

import { DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms';
import { describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { callAs } from '../support/mesh-call.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';

const KEY_SECONDS = 12;
const suite = meshOfSuite({ TOKENMESH_BRANCH_KEY_SECONDS: String(KEY_SECONDS) });

const CARD = { fields: { card: { class: 'pan', value: '4111111111111111' } } };

async function tokenize(): Promise<{ status: number; token?: string; code?: string }> {
  const { status, document } = await callAs(suite.state, 'order', 'POST', '/v1/tokens', CARD);
  return { ...document, status };
}

async function readiness(): Promise<{
  status: number;
  keys?: { goodForSeconds: number; isRefreshFailing: boolean };
}> {
  const { status, document } = await callAs(suite.state, 'order', 'GET', '/readyz');
  return { ...document, status };
}

/** Asks until the answer is as wanted, and gives up after a while. */
async function until<Answer>(
  ask: () => Promise<Answer>,
  isWanted: (answer: Answer) => boolean,
): Promise<Answer> {
  const end = Date.now() + 4 * KEY_SECONDS * 1000;
  for (;;) {
    const answer = await ask();
    if (isWanted(answer) || Date.now() > end) return answer;
    await sleep(250);
  }
}

describe('with KMS refusing', () => {
  it('the mesh goes on with the key that it holds, says so, and refuses when its time is over', async () => {
    const { aws, vaultKeyArn } = suite.state;
    const { kms } = emulatorClients(aws.endpointUrl, aws.region);
    expect((await tokenize()).status).toBe(201);
    expect(await readiness()).toMatchObject({ status: 200, keys: { isRefreshFailing: false } });
    await kms.send(new DisableKeyCommand({ KeyId: vaultKeyArn }));
    try {
      const statuses = new Set<number>();
      const failing = await until(
        async () => {
          statuses.add((await tokenize()).status);
          return await readiness();
        },
        ({ keys }) => keys?.isRefreshFailing === true,
      );
      expect(failing).toMatchObject({ status: 200, keys: { isRefreshFailing: true } });
      expect(failing.keys?.goodForSeconds).toBeLessThan(KEY_SECONDS);
      expect([...statuses]).toEqual([201]);
      const refused = await until(tokenize, ({ status }) => status !== 201);
      expect(refused).toMatchObject({ status: 503, code: 'ERR_KEY_UNAVAILABLE' });
      expect((await until(readiness, ({ status }) => status !== 200)).status).toBe(503);
    } finally {
      await kms.send(new EnableKeyCommand({ KeyId: vaultKeyArn }));
    }
    const again = await until(tokenize, ({ status }) => status === 201);
    expect(again.status).toBe(201);
    expect(await until(readiness, ({ status }) => status === 200)).toMatchObject({
      keys: { isRefreshFailing: false },
    });
  }, 120_000);
});
