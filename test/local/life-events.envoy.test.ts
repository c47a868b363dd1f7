/**
 * On a running mesh: what becomes of tokens is told to the bus, and what is told holds neither value nor token.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { CreateTableCommand, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from '@jest/globals';
import { EMULATOR_CREDENTIALS, emulatorClients } from '../../operator/aws-clients.ts';
import type { DeliveredEvent } from '../../operator/bus-queue.ts';
import { nodeState } from '../../operator/run-state.ts';
import { createEgress } from '../../runtime/egress.ts';
import { createHandler } from '../../sample-apps/life-events/handler.ts';
import { testCard } from '../../sample-apps/test-cards.ts';
import { EVENT_BUS } from '../../sidecar/event-bus.ts';
import { listenToBus, type HeardBus } from '../support/bus-queue.ts';
import { callAs, type MeshAnswer } from '../support/mesh-call.ts';
import { meshOfSuite } from '../support/mesh-of-suite.ts';
import { mesh } from '../support/running-mesh.ts';

const DEADLINE_MS = 90_000;

const PAN = testCard('visa', 16).number;

const suite = meshOfSuite({ TOKENMESH_SWEEP_SECONDS: '1', TOKENMESH_EVENT_BUS: EVENT_BUS });

async function newToken(more: object = {}): Promise<string> {
  const fields = { number: { class: 'pan', value: PAN } };
  const { status, document } = await callAs(suite.state, 'order', 'POST', '/v1/tokens', { fields, ...more });
  expect([status, document['code']]).toEqual([201, undefined]);
  return String(document['token']);
}

const reveal = async (token: string): Promise<MeshAnswer> =>
  await callAs(suite.state, 'paybill', 'POST', '/v1/detokenize', { token });

async function listen(name: string): Promise<HeardBus> {
  const { endpointUrl: endpoint, region } = suite.state.aws;
  return await listenToBus({ endpoint, region, credentials: EMULATOR_CREDENTIALS }, EVENT_BUS, name);
}

const typesByReference = (events: readonly DeliveredEvent[]): string[][] =>
  [...Map.groupBy(events, ({ detail }) => detail.reference).values()].map((each) =>
    each.map((event) => event['detail-type']),
  );

describe('life events', () => {
  it(
    'tell of a token made, shown, archived, restored, replaced and deleted, of one shown once, of one that expired',
    async () => {
      const queue = await listen('whole-life');
      const token = await newToken({ kind: 'pointer' });
      expect((await reveal(token)).status).toBe(200);
      const change = async (method: 'POST' | 'PUT' | 'DELETE', path: string, body?: object) =>
        await callAs(suite.state, 'order', method, `/v1/tokens/${token}${path}`, body);
      expect((await change('POST', '/archive')).status).toBeLessThan(300);
      expect((await change('POST', '/restore')).status).toBeLessThan(300);
      const holder = { fields: { holder: { class: 'name', value: 'A Tester' } } };
      expect((await change('PUT', '', holder)).status).toBeLessThan(300);
      expect((await change('DELETE', '')).status).toBeLessThan(300);
      const once = await newToken({ kind: 'one-time' });
      expect((await reveal(once)).status).toBe(200);
      const brief = await newToken({ ttlSeconds: 1 });
      const refused = await callAs(suite.state, 'outsider', 'POST', '/v1/detokenize', { token });
      expect(refused.status).toBe(403);
      const events = await queue.receive(10);
      expect(typesByReference(events)).toEqual([
        [
          'Token Created',
          'Token Revealed',
          'Token Archived',
          'Token Restored',
          'Token Replaced',
          'Token Deleted',
        ],
        ['Token Created', 'Token Revealed'],
        ['Token Created', 'Token Expired'],
      ]);
      expect(events[1]).toMatchObject({
        source: 'tokenmesh.tokenizer',
        detail: {
          tenant: 'shop',
          identity: nodeState(suite.state, 'paybill').identity,
          purpose: 'payment',
          fields: [{ class: 'pan', form: 'plain' }],
        },
      });
      const told = JSON.stringify(events);
      for (const secret of [PAN, 'A Tester', token, once, brief]) expect(told).not.toContain(secret);
    },
    DEADLINE_MS,
  );

  it(
    'name a token as the audit does, are shown by the command, and counted',
    async () => {
      const watched = mesh(suite.run, ['events', '-n', '1', '--json']);
      const ended = new AbortController();
      void watched.then(() => ended.abort());
      const tokens: string[] = [];
      // The command is heard from once it listens; what was before, it does not show.
      while (!ended.signal.aborted) {
        tokens.push(await newToken());
        await sleep(500);
      }
      const shown = JSON.parse((await watched).stdout) as DeliveredEvent;
      expect((await watched).code).toBe(0);
      expect(shown['detail-type']).toBe('Token Created');
      const found = await Promise.all(
        tokens.slice(-3).map((token) => mesh(suite.run, ['audit', 'find', '-', '--json'], token)),
      );
      expect(found.map(({ stdout }) => stdout).join('')).toContain(shown.detail.reference);
      const dispatcher = createEgress(nodeState(suite.state, 'tokenizer').appSocket ?? '');
      const { body } = await dispatcher.request({
        origin: 'http://tokenizer',
        path: '/metrics',
        method: 'GET',
      });
      const text = await body.text();
      await dispatcher.close();
      expect(text).toMatch(/tokenmesh_life_events_total\{outcome="sent"\} [1-9]/);
      expect(text).not.toContain('outcome="dropped"');
    },
    DEADLINE_MS,
  );

  it(
    'are followed by the example, which knows when a token was last shown, and forgets one that is gone',
    async () => {
      const { dynamodb } = emulatorClients(suite.state.aws.endpointUrl, suite.state.aws.region);
      const TableName = 'tokenmesh-last-use';
      const name = { AttributeName: 'reference' } as const;
      await dynamodb.send(
        new CreateTableCommand({
          TableName,
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: [{ ...name, AttributeType: 'S' }],
          KeySchema: [{ ...name, KeyType: 'HASH' }],
        }),
      );
      const queue = await listen('last-use');
      const kept = await newToken();
      const gone = await newToken();
      for (const token of [kept, kept, gone]) expect((await reveal(token)).status).toBe(200);
      await callAs(suite.state, 'order', 'DELETE', `/v1/tokens/${gone}`);
      const events = await queue.receive(6);
      const shown = events.filter((event) => event['detail-type'] === 'Token Revealed');
      const handle = createHandler({ dynamodb, tableName: TableName });
      for (const event of [...events, ...shown.slice(0, 2).toReversed()]) await handle(event);
      const [first, second] = shown;
      expect(first?.detail.reference).toBe(second?.detail.reference);
      const lastShown = async (reference = ''): Promise<string | undefined> =>
        (await dynamodb.send(new GetItemCommand({ TableName, Key: { reference: { S: reference } } }))).Item?.[
          'lastShownAt'
        ]?.S;
      expect(await lastShown(first?.detail.reference)).toBe(second?.detail.at);
      expect(await lastShown(shown[2]?.detail.reference)).toBeUndefined();
    },
    DEADLINE_MS,
  );
});
