import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import { openBusQueue, type DeliveredEvent } from '../../operator/bus-queue.ts';
import type { EmulatedAws } from './emulated-aws.ts';

/** A queue that gets every life event of a bus. */
export interface HeardBus {
  /** Waits until so many have come that were not received before, or for 20 s; sorted by time. */
  receive(count: number): Promise<DeliveredEvent[]>;
}

/** A rule on the bus, and a queue behind it, both of this name: they go with the emulator. */
export async function listenToBus(
  config: EmulatedAws['clientConfig'],
  busName: string,
  name: string,
): Promise<HeardBus> {
  const clients = { sqs: new SQSClient(config), events: new EventBridgeClient(config) };
  const queue = await openBusQueue(clients, busName, name);
  return {
    async receive(count) {
      const received: DeliveredEvent[] = [];
      const deadline = Date.now() + 20_000;
      while (received.length < count && Date.now() < deadline) received.push(...(await queue.receive()));
      return received.toSorted((one, other) => one.detail.at.localeCompare(other.detail.at));
    },
  };
}
