/**
 * Hears a bus of EventBridge as any consumer does: by a rule, and a queue behind it.
 *
 * @module
 */

import {
  DeleteRuleCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  type EventBridgeClient,
} from '@aws-sdk/client-eventbridge';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { LIFE_EVENT_SOURCE } from '../sidecar/tokenizer/adapters/eventbridge-life-events.ts';
import type { LifeEvent } from '../sidecar/tokenizer/core/audit/life-events.ts';

/** As EventBridge delivers it to a target. */
export interface DeliveredEvent {
  readonly time: string;
  readonly 'detail-type': LifeEvent['type'];
  readonly detail: Omit<LifeEvent, 'type'> & { readonly id: string };
}

export interface BusQueueClients {
  readonly events: EventBridgeClient;
  readonly sqs: SQSClient;
}

/** A queue that gets every life event of a bus from now on. */
export interface BusQueue {
  /** Waits a second at most for events that were not received before. */
  receive(signal?: AbortSignal): Promise<DeliveredEvent[]>;
  /** Removes the rule and the queue. */
  remove(): Promise<void>;
}

/** @param Name - Of the rule and of the queue. */
export async function openBusQueue(
  { events, sqs }: BusQueueClients,
  EventBusName: string,
  Name: string,
): Promise<BusQueue> {
  const QueueUrl = (await sqs.send(new CreateQueueCommand({ QueueName: Name }))).QueueUrl ?? '';
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
  );
  const EventPattern = JSON.stringify({ source: [LIFE_EVENT_SOURCE] });
  await events.send(new PutRuleCommand({ Name, EventBusName, EventPattern }));
  const Targets = [{ Id: 'queue', Arn: Attributes?.['QueueArn'] }];
  await events.send(new PutTargetsCommand({ Rule: Name, EventBusName, Targets }));
  return {
    receive: async (signal) => await receive(sqs, QueueUrl, signal),
    async remove() {
      await events.send(new RemoveTargetsCommand({ Rule: Name, EventBusName, Ids: ['queue'] }));
      await events.send(new DeleteRuleCommand({ Name, EventBusName }));
      await sqs.send(new DeleteQueueCommand({ QueueUrl }));
    },
  };
}

async function receive(
  sqs: SQSClient,
  QueueUrl: string,
  signal: AbortSignal | undefined,
): Promise<DeliveredEvent[]> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
    signal === undefined ? {} : { abortSignal: signal },
  );
  if (Messages.length === 0) return [];
  const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
  await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  return Messages.map(({ Body = '{}' }) => JSON.parse(Body) as DeliveredEvent);
}
