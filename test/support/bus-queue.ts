import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { DeliveredEvent } from '../../operator/events.ts';
import { LIFE_EVENT_SOURCE } from '../../sidecar/tokenizer/adapters/eventbridge-life-events.ts';
import type { EmulatedAws } from './emulated-aws.ts';

/** A queue that gets every life event of a bus. */
export interface BusQueue {
  /** Waits until so many have come that were not received before, or for 20 s; sorted by time. */
  receive(count: number): Promise<DeliveredEvent[]>;
}

/** A rule on the bus, and a queue behind it, both of this name. */
export async function listenToBus(
  config: EmulatedAws['clientConfig'],
  EventBusName: string,
  Name: string,
): Promise<BusQueue> {
  const sqs = new SQSClient(config);
  const events = new EventBridgeClient(config);
  const QueueUrl = (await sqs.send(new CreateQueueCommand({ QueueName: Name }))).QueueUrl ?? '';
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
  );
  const EventPattern = JSON.stringify({ source: [LIFE_EVENT_SOURCE] });
  await events.send(new PutRuleCommand({ Name, EventBusName, EventPattern }));
  const Targets = [{ Id: 'queue', Arn: Attributes?.['QueueArn'] }];
  await events.send(new PutTargetsCommand({ Rule: Name, EventBusName, Targets }));
  return { receive: async (count) => await receive(sqs, QueueUrl, count) };
}

async function receive(sqs: SQSClient, QueueUrl: string, count: number): Promise<DeliveredEvent[]> {
  const received: DeliveredEvent[] = [];
  const deadline = Date.now() + 20_000;
  while (received.length < count && Date.now() < deadline) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
    );
    if (Messages.length === 0) continue;
    received.push(...Messages.map(({ Body = '{}' }) => JSON.parse(Body) as DeliveredEvent));
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }
  return received.toSorted((one, other) => one.detail.at.localeCompare(other.detail.at));
}
