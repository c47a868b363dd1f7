import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { DeadLetter, DeadLetters } from '../asynchronous-invocation.ts';

export const RENEWAL_DEAD_LETTERS = 'tokenmesh-renewal-dead-letters';

/** Days after which a letter that nobody looked at is gone: the most that SQS keeps one. */
const KEPT_SECONDS = 14 * 86_400;

/** Lambda cuts the message of the error to so many bytes. */
const ERROR_MESSAGE_BYTES = 1_024;

/** Makes the queue, unless it is there. @returns Its URL. */
export async function createDeadLetterQueue(client: SQSClient, name: string): Promise<string> {
  const { QueueUrl: url = '' } = await client.send(
    new CreateQueueCommand({
      QueueName: name,
      Attributes: { MessageRetentionPeriod: String(KEPT_SECONDS), SqsManagedSseEnabled: 'true' },
    }),
  );
  return url;
}

/** Letters in the form in which Lambda sends them: the event as the body, the error in three attributes. */
export function sqsDeadLetters(client: SQSClient, queueUrl: string): DeadLetters {
  return {
    async send({ requestId, event, errorMessage }) {
      await client.send(
        new SendMessageCommand({
          QueueUrl: queueUrl,
          MessageBody: JSON.stringify(event),
          MessageAttributes: {
            RequestID: text(requestId),
            ErrorCode: { DataType: 'Number', StringValue: '200' },
            ErrorMessage: text(Buffer.from(errorMessage).subarray(0, ERROR_MESSAGE_BYTES).toString()),
          },
        }),
      );
    },
  };
}

/** Takes the letters out of the queue that are there now, for somebody who handles them again. */
export async function takeDeadLetters(client: SQSClient, name: string): Promise<DeadLetter[]> {
  const { QueueUrl: url } = await client.send(new GetQueueUrlCommand({ QueueName: name }));
  const letters: DeadLetter[] = [];
  for (;;) {
    const { Messages: messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ['All'],
      }),
    );
    if (messages.length === 0) return letters;
    for (const { Body: body = '', MessageAttributes: attributes = {}, ReceiptHandle: receipt } of messages) {
      letters.push({
        requestId: attributes['RequestID']?.StringValue ?? '',
        event: JSON.parse(body) as unknown,
        errorMessage: attributes['ErrorMessage']?.StringValue ?? '',
      });
      await client.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: receipt }));
    }
  }
}

function text(StringValue: string): { DataType: string; StringValue: string } {
  return { DataType: 'String', StringValue };
}
