/**
 * What Lambda's event source mapping does for a queue of SQS: it polls, hands each batch to the function as one
 * event, deletes what succeeded, and leaves the rest to come again once its visibility timeout is over.
 *
 * @module
 */

import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type Message,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';

export interface SourceMapping {
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly region: string;
  readonly invoke: (event: SQSEvent) => Promise<SQSBatchResponse>;
  /** Messages in one event. */
  readonly batchSize: number;
  readonly signal: AbortSignal;
  /** The function failed as a whole, or a poll did: nothing of the batch is deleted. */
  readonly onFault: (error: unknown) => void;
  readonly wait: (milliseconds: number) => Promise<unknown>;
}

/** SQS answers sooner where there is a message. */
const POLL_SECONDS = 2;

const PAUSE_AFTER_FAULT_MS = 1_000;

/** Polls until the signal, one batch after the other; in a FIFO queue SQS keeps the order of each group. */
export async function runSourceMapping(mapping: SourceMapping): Promise<void> {
  let queueArn: string | undefined;
  while (!mapping.signal.aborted) {
    try {
      queueArn ??= await arnOf(mapping);
      await pollOnce(mapping, queueArn);
    } catch (error) {
      if (mapping.signal.aborted) return;
      mapping.onFault(error);
      await mapping.wait(PAUSE_AFTER_FAULT_MS);
    }
  }
}

async function arnOf({ client, queueUrl }: SourceMapping): Promise<string> {
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['QueueArn'] }),
  );
  return Attributes?.['QueueArn'] ?? '';
}

async function pollOnce(mapping: SourceMapping, queueArn: string): Promise<void> {
  const { client, queueUrl, batchSize, signal } = mapping;
  const { Messages = [] } = await client.send(
    new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: batchSize,
      WaitTimeSeconds: POLL_SECONDS,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    }),
    { abortSignal: signal },
  );
  if (Messages.length === 0) return;
  const answer = await mapping.invoke({
    Records: Messages.map((message) => recordOf(message, queueArn, mapping.region)),
  });
  const failed = failuresIn(answer, Messages);
  const done = Messages.filter(({ MessageId }) => !failed.has(MessageId ?? ''));
  if (done.length === 0) return;
  await client.send(
    new DeleteMessageBatchCommand({
      QueueUrl: queueUrl,
      Entries: done.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle })),
    }),
  );
}

/** An answer that names no message of the batch counts as a failure of all of it, as Lambda has it. */
function failuresIn(answer: SQSBatchResponse, messages: readonly Message[]): Set<string> {
  const failed = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  const known = new Set(messages.map(({ MessageId = '' }) => MessageId));
  return [...failed].every((id) => known.has(id)) ? failed : known;
}

function recordOf(message: Message, eventSourceARN: string, awsRegion: string): SQSRecord {
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes: { ...message.Attributes } as unknown as SQSRecord['attributes'],
    messageAttributes: {},
    md5OfBody: message.MD5OfBody ?? '',
    eventSource: 'aws:sqs',
    eventSourceARN,
    awsRegion,
  };
}
