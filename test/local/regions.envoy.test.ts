/**
 * Two whole meshes in two regions, as `npm start -- --regions 2` starts them.
 *
 * @module
 */

import { DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { decryptsIn, revealIn, tokenizeIn, untilRead } from '../../local/regions/demonstration.ts';
import { emulatorClients } from '../../operator/aws-clients.ts';
import { changeRegions } from '../../operator/regions/emulated-regions.ts';
import { readRegionState, type RunState } from '../../operator/run-state.ts';
import { testCard } from '../../sample-apps/test-cards.ts';
import { readHeartbeats } from '../../sidecar/tokenizer/adapters/dynamodb-heartbeats.ts';
import { isAsShown, runSession, sessionsIn } from '../support/console-session.ts';
import { ROOT, textOf } from '../support/documents.ts';
import { callAs, closeCalls } from '../support/mesh-call.ts';
import { mesh, StartedRun } from '../support/running-mesh.ts';

const START_DEADLINE_MS = 500_000;
const DEADLINE_MS = 240_000;
const { number: NUMBER } = testCard('visa', 16);

let run: StartedRun;
let here: RunState;
let there: RunState;

beforeAll(async () => {
  run = new StartedRun(undefined, ['--regions', '2'], { TOKENMESH_BRANCH_KEY_SECONDS: '5' });
  await run.says('stop       Ctrl-C', START_DEADLINE_MS);
  here = run.state;
  there = readRegionState(run.stateFile, 'eu-west-1');
}, START_DEADLINE_MS);

afterAll(async () => {
  await closeCalls();
  await run?.end();
}, DEADLINE_MS);

beforeEach(async () => {
  await changeRegions(here.aws.endpointUrl, { delaySeconds: 0.5, isPartitioned: false });
});

async function detokenize(state: RunState, token: string) {
  return await callAs(state, 'paybill', 'POST', '/v1/detokenize', { token });
}

describe('two meshes in two regions', () => {
  it(
    'hold every check in each of them, and share no port, no certificate and no key but the one of the vault',
    async () => {
      for (const region of ['us-east-1', 'eu-west-1']) {
        const verified = await mesh(run, ['verify', '--region', region]);
        expect(verified).toMatchObject({ code: 0, stderr: '' });
        const status = await mesh(run, ['status', '--region', region]);
        expect(status.stdout).toContain(`(emulated, ${region})`);
      }
      const ports = [here, there].flatMap(({ nodes }) => nodes.map(({ listener }) => listener.port));
      expect(new Set(ports).size).toBe(ports.length);
      expect(here.cas.map(({ arn }) => arn)).not.toEqual(there.cas.map(({ arn }) => arn));
      expect(here.auditKeyArn).not.toBe(there.auditKeyArn);
      expect(there.vaultKeyArn).toBe(here.vaultKeyArn.replace('us-east-1', 'eu-west-1'));
    },
    DEADLINE_MS,
  );

  it(
    'refuse a region that there is none of',
    async () => {
      const { code, stderr } = await mesh(run, ['status', '--region', 'moon-1']);
      expect(code).toBe(2);
      expect(stderr).toContain('no mesh runs in the region "moon-1"');
    },
    DEADLINE_MS,
  );

  it(
    'read what the other made with the key of their own region, while that of the other cannot be used',
    async () => {
      const token = await tokenizeIn(here, NUMBER, { format: 'region' });
      expect(token).toMatch(/^TKN-IAD-/);
      await untilRead(there, token, NUMBER);
      const { kms } = emulatorClients(here.aws.endpointUrl, here.aws.region);
      await kms.send(new DisableKeyCommand({ KeyId: here.vaultKeyArn }));
      try {
        const before = await decryptsIn(here);
        // The branch key that is held ends meanwhile.
        await sleep(7_000);
        expect(await revealIn(there, token)).toBe(NUMBER);
        const after = await decryptsIn(here);
        expect(after['eu-west-1']).toBeGreaterThan(before['eu-west-1'] ?? 0);
      } finally {
        await kms.send(new EnableKeyCommand({ KeyId: here.vaultKeyArn }));
      }
      const end = Date.now() + 30_000;
      while ((await detokenize(here, token)).status !== 200 && Date.now() < end) await sleep(250);
      expect(await revealIn(here, token)).toBe(NUMBER);
    },
    DEADLINE_MS,
  );

  it(
    'keep heartbeats out of what counts and verifies records',
    async () => {
      const { dynamodb: client } = emulatorClients(there.aws.endpointUrl, there.aws.region);
      const heartbeats = await readHeartbeats({ client, tableName: there.tables.tokens });
      expect([...heartbeats.keys()].toSorted()).toEqual(['DUB', 'IAD']);
      for (const region of ['us-east-1', 'eu-west-1']) {
        expect(await mesh(run, ['audit', 'verify', '--region', region])).toMatchObject({
          code: 0,
          stderr: '',
        });
        expect(await mesh(run, ['keys', 'census', 'shop', '--region', region])).toMatchObject({
          code: 0,
          stderr: '',
        });
      }
    },
    DEADLINE_MS,
  );

  it(
    'say of a token that has not arrived where it was made, and how far behind they are',
    async () => {
      await changeRegions(here.aws.endpointUrl, { isPartitioned: true });
      const token = await tokenizeIn(here, NUMBER, { format: 'region' });
      await sleep(3_000);
      const { status, document } = await detokenize(there, token);
      expect({ status, document }).toMatchObject({
        status: 404,
        document: { code: 'ERR_TOKEN_NOT_REPLICATED', region: 'IAD', lagSeconds: expect.any(Number) },
      });
      expect(document['lagSeconds']).toBeGreaterThan(2);
      const batch = await callAs(there, 'paybill', 'POST', '/v1/detokenize/batch', { items: [{ token }] });
      expect(batch.document['results']).toMatchObject([
        { error: { region: 'IAD', code: 'ERR_TOKEN_NOT_REPLICATED' } },
      ]);
      await changeRegions(here.aws.endpointUrl, { isPartitioned: false });
      await untilRead(there, token, NUMBER);
    },
    DEADLINE_MS,
  );

  it(
    'say the same of a token that never was, and nothing of the kind of one of no region or of their own',
    async () => {
      const made = await tokenizeIn(here, NUMBER, { format: 'region' });
      await untilRead(there, made, NUMBER);
      await callAs(here, 'order', 'DELETE', `/v1/tokens/${made}`);
      const end = Date.now() + 10_000;
      while ((await detokenize(there, made)).status === 200 && Date.now() < end) await sleep(50);
      // Deleted there as here: which of the two it is, nobody here knows.
      expect((await detokenize(there, made)).document['code']).toBe('ERR_TOKEN_NOT_REPLICATED');
      expect((await detokenize(here, made)).document['code']).toBe('ERR_TOKEN_UNKNOWN');
      const plain = await tokenizeIn(there, NUMBER);
      await callAs(there, 'order', 'DELETE', `/v1/tokens/${plain}`);
      expect((await detokenize(there, plain)).document['code']).toBe('ERR_TOKEN_UNKNOWN');
    },
    DEADLINE_MS,
  );

  it(
    'make one token of a deterministic value in both at once, which opens in both and stays the same',
    async () => {
      await changeRegions(here.aws.endpointUrl, { isPartitioned: true });
      const make = async (state: RunState) => await tokenizeIn(state, NUMBER, { kind: 'deterministic' });
      const tokens = await Promise.all([make(here), make(there)]);
      expect(new Set(tokens).size).toBe(1);
      const [token] = tokens;
      await changeRegions(here.aws.endpointUrl, { isPartitioned: false });
      await sleep(2_000);
      expect(await Promise.all([revealIn(here, token), revealIn(there, token)])).toEqual([NUMBER, NUMBER]);
      expect(await Promise.all([make(here), make(there)])).toEqual([token, token]);
    },
    DEADLINE_MS,
  );

  it(
    'are told to be late, parted, lost and back by the operator, as the page says',
    async () => {
      const session = await runSession(sessionsIn(textOf('docs/regions.md')), {
        cwd: ROOT,
        environment: { TOKENMESH_STATE: run.stateFile, NO_COLOR: '1' },
      });
      expect(session.filter((each) => !isAsShown(each))).toEqual([]);
      expect(session.some(({ command }) => command.includes('scene -- lost-region'))).toBe(true);
      expect(session.filter(({ code }) => code !== 0)).toEqual([]);
      expect(await mesh(run, ['verify', '--region', 'us-east-1'])).toMatchObject({ code: 0 });
    },
    DEADLINE_MS,
  );
});
