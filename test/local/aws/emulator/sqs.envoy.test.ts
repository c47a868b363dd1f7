import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PREPARE_DEADLINE_MS, startEmulatedAws, type EmulatedAws } from '../../../support/emulated-aws.ts';

let aws: EmulatedAws;
let sqs: SQSClient;
let QueueUrl: string;

beforeAll(async () => {
  aws = await startEmulatedAws();
  sqs = new SQSClient(aws.clientConfig);
  const created = await sqs.send(
    new CreateQueueCommand({
      QueueName: 'things.fifo',
      Attributes: { FifoQueue: 'true', ContentBasedDeduplication: 'true', VisibilityTimeout: '4' },
    }),
  );
  QueueUrl = created.QueueUrl ?? '';
}, PREPARE_DEADLINE_MS);

afterAll(async () => {
  sqs.destroy();
  await aws.stop();
});

async function receive() {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 }),
  );
  return Messages;
}

describe("a FIFO queue's group", () => {
  it('comes back in its order once its time is over, and is held while one of it is in flight', async () => {
    for (const [MessageBody, MessageGroupId] of [
      ['a1', 'a'],
      ['a2', 'a'],
      ['b1', 'b'],
      ['a3', 'a'],
    ]) {
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageGroupId }));
    }
    const first = await receive();
    expect(first.map(({ Body }) => Body)).toEqual(['a1', 'a2', 'b1', 'a3']);
    const [done] = first;
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: done?.ReceiptHandle }));
    expect(await receive()).toEqual([]);
    await sleep(4_200);
    expect((await receive()).map(({ Body }) => Body)).toEqual(['a2', 'b1', 'a3']);
  });
});
