/**
 * Sends life events to a bus of EventBridge, ten in a call, off the way of any answer.
 *
 * Best effort: what the bus does not take in time is dropped and counted. The audit has all of it.
 *
 * IAM: events:PutEvents on the bus.
 *
 * @module
 */

import { randomUUID } from 'node:crypto';
import {
  EventBridgeClient,
  PutEventsCommand,
  type EventBridgeClientConfig,
  type PutEventsRequestEntry,
} from '@aws-sdk/client-eventbridge';
import type { LifeEvent, LifeEventSink } from '../core/audit/life-events.ts';
import { BOUNDED_CALLS } from './aws-clients.ts';
import { Gathering, type Sent } from './gathering.ts';

/** The source of every event, for rules to match. */
export const LIFE_EVENT_SOURCE = 'tokenmesh.tokenizer';

export interface LifeEventsOptions {
  readonly busName: string;
  readonly observer: LifeEventObserver;
  /** Told of a call that failed. */
  readonly onFault: (error: unknown) => void;
  /** @default the SDK's own to find */
  readonly config?: EventBridgeClientConfig;
}

export interface LifeEventObserver {
  lifeEvent(outcome: 'sent' | 'dropped'): void;
}

export interface LifeEventsSender {
  readonly send: LifeEventSink;
  /** Waits a moment for what is on its way. */
  readonly close: () => Promise<void>;
}

/** The most that a call takes (EventBridge API reference). */
const EVENTS_IN_CALL = 10;
const CALLS = 4;
const WAIT_MS = 50;
/** A few megabytes, and some seconds of a busy task. */
const MOST_WAITING = 20_000;
const PATIENCE_MS = 30_000;
const CLOSE_MS = 2_000;

/** What EventBridge says of an entry that may be taken when it is sent again. */
const TRANSIENT: ReadonlySet<string> = new Set([
  'ThrottlingException',
  'InternalFailure',
  'InternalException',
]);

export function createLifeEvents(options: LifeEventsOptions): LifeEventsSender {
  const { observer } = options;
  const client = new EventBridgeClient({ ...BOUNDED_CALLS, ...options.config });
  const gathering = new Gathering<PutEventsRequestEntry, void>({
    mostInCall: EVENTS_IN_CALL,
    mostCalls: CALLS,
    waitMs: WAIT_MS,
    mostWaiting: MOST_WAITING,
    // Each has an id of its own in it.
    nameOf: ({ Detail = '' }) => Detail,
    exhausted: notTaken,
    refused: notTaken,
    late: notTaken,
    random: Math.random,
    send: async (entries) => await put(client, entries, options.onFault),
  });
  const underWay = new Set<Promise<void>>();
  const sendOne = (event: LifeEvent): void => {
    const sent = gathering.add(entryOf(event, options.busName), PATIENCE_MS).then(
      () => observer.lifeEvent('sent'),
      () => observer.lifeEvent('dropped'),
    );
    underWay.add(sent);
    void sent.finally(() => underWay.delete(sent));
  };
  return {
    send: (events) => events.forEach(sendOne),
    async close() {
      await Promise.race([
        Promise.all(underWay),
        new Promise((resolve) => setTimeout(resolve, CLOSE_MS).unref()),
      ]);
      client.destroy();
    },
  };
}

function entryOf({ type, at, ...detail }: LifeEvent, busName: string): PutEventsRequestEntry {
  return {
    EventBusName: busName,
    Source: LIFE_EVENT_SOURCE,
    DetailType: type,
    Time: new Date(at),
    // EventBridge gives each delivery of a repeated call an id of its own: this one stays.
    Detail: JSON.stringify({ id: randomUUID(), at, ...detail }),
  };
}

async function put(
  client: EventBridgeClient,
  entries: readonly PutEventsRequestEntry[],
  onFault: (error: unknown) => void,
): Promise<readonly Sent<void>[]> {
  try {
    const { Entries = [] } = await client.send(new PutEventsCommand({ Entries: [...entries] }));
    return entries.map((_, index) => sentOf(Entries[index]?.ErrorCode, onFault));
  } catch (error) {
    onFault(error);
    return entries.map(() => 'undone');
  }
}

function sentOf(code: string | undefined, onFault: (error: unknown) => void): Sent<void> {
  if (code === undefined) return { result: undefined };
  if (TRANSIENT.has(code)) return 'undone';
  const error = Object.assign(notTaken(), { name: code });
  onFault(error);
  return { error };
}

function notTaken(): Error {
  return new Error('the bus did not take the event');
}
