import { setTimeout as sleep } from 'node:timers/promises';
import { CreateEventBusCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DeliveredEvent } from '../../../../operator/bus-queue.ts';
import {
  createLifeEvents,
  LIFE_EVENT_SOURCE,
} from '../../../../sidecar/tokenizer/adapters/eventbridge-life-events.ts';
import type { LifeEvent } from '../../../../sidecar/tokenizer/core/audit/life-events.ts';
import { listenToBus, type HeardBus } from '../../../support/bus-queue.ts';
import { PREPARE_DEADLINE_MS, startEmulatedAws, type EmulatedAws } from '../../../support/emulated-aws.ts';
import { startFaultyAws, type FaultyAws } from '../../../../local/faulty-aws.ts';

const BUS = 'tokenmesh-test';

let aws: EmulatedAws;
let faulty: FaultyAws;
let queue: HeardBus;

beforeAll(async () => {
  aws = await startEmulatedAws();
  faulty = await startFaultyAws(aws.endpointUrl);
  await new EventBridgeClient(aws.clientConfig).send(new CreateEventBusCommand({ Name: BUS }));
  queue = await listenToBus(aws.clientConfig, BUS, 'all');
}, PREPARE_DEADLINE_MS);

afterAll(async () => {
  await faulty?.stop();
  await aws?.stop();
});

function sender(endpoint: string) {
  const counts = { sent: 0, dropped: 0 };
  const faults: unknown[] = [];
  const events = createLifeEvents({
    busName: BUS,
    observer: { lifeEvent: (outcome) => void (counts[outcome] += 1) },
    onFault: (error) => faults.push(error),
    config: { ...aws.clientConfig, endpoint },
  });
  return { ...events, counts, faults };
}

const numbered = (count: number): LifeEvent[] =>
  Array.from({ length: count }, (_, index) => ({
    type: 'Token Created',
    at: '2026-03-04T05:06:07.008Z',
    reference: `ref_${index}`,
    tenant: 'shop',
    identity: 'order.tokenmesh.internal',
    fields: [{ class: 'pan' }],
  }));

const referencesOf = (events: readonly DeliveredEvent[]): string[] =>
  events.map(({ detail }) => detail.reference).toSorted();

describe('life events on a bus', () => {
  it('all arrive, ten in a call, each with an id of its own', async () => {
    const { send, close, counts } = sender(faulty.endpoint);
    send(numbered(25));
    await close();
    expect(counts).toEqual({ sent: 25, dropped: 0 });
    expect(faulty.calls('PutEvents')).toBe(3);
    const received = await queue.receive(25);
    expect(referencesOf(received)).toEqual(
      numbered(25)
        .map(({ reference }) => reference)
        .toSorted(),
    );
    expect(received[0]).toMatchObject({
      source: LIFE_EVENT_SOURCE,
      'detail-type': 'Token Created',
      detail: { tenant: 'shop', identity: 'order.tokenmesh.internal', fields: [{ class: 'pan' }] },
    });
    expect(new Set(received.map(({ detail }) => detail.id)).size).toBe(25);
  });

  it('are sent again where the bus has too much to do', async () => {
    const { send, close, counts, faults } = sender(faulty.endpoint);
    // More than the three attempts that the SDK makes by itself.
    faulty.set({ action: 'PutEvents', times: 4, harm: { answer: 'ThrottlingException' } });
    send(numbered(3));
    while (counts.sent < 3) await sleep(20);
    await close();
    expect(counts).toEqual({ sent: 3, dropped: 0 });
    expect(faults.length).toBe(1);
    expect(referencesOf(await queue.receive(3))).toEqual(['ref_0', 'ref_1', 'ref_2']);
  });

  it('are dropped and counted where there is no room, and keep nobody waiting', async () => {
    const { send, close, counts, faults } = sender('http://127.0.0.1:1');
    send(numbered(20_050));
    expect(counts).toEqual({ sent: 0, dropped: 0 });
    // Beside those that wait, four calls of ten are on their way.
    await sleep(0);
    expect(counts.dropped).toBe(10);
    await close();
    expect(counts.sent).toBe(0);
    expect(faults.length).toBeGreaterThan(0);
  });
});
