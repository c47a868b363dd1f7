import { GetQueueAttributesCommand, SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { callAws } from '../../cert-exporter/adapters/aws-failure.ts';
import { TokenmeshError } from '../../errors/error.ts';
import type { PartName, PartQueue } from '../ports.ts';

export interface QueueLocation {
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly deadLetterQueueUrl: string;
}

/** What SQS takes in one call, also where it does not take 1 MiB yet. */
const MESSAGES_AT_ONCE = 10;
const BYTES_AT_ONCE = 256 * 1024;

/** What SQS refused is sent again this often. */
const ATTEMPTS = 4;

type SealedPart = PartName & { readonly sealed: string };

/**
 * Parts as messages of SQS. In a FIFO queue the load is the group, so that its parts come in order, and the
 * part is the deduplication id.
 *
 * Needs `sqs:SendMessage`, and `sqs:GetQueueAttributes` on the dead-letter queue.
 */
export function createSqsParts({ client, queueUrl, deadLetterQueueUrl }: QueueLocation): PartQueue {
  const isFifo = queueUrl.endsWith('.fifo');
  const send = async (parts: readonly SealedPart[]): Promise<readonly SealedPart[]> => {
    const Entries = parts.map((each, index) => ({
      Id: String(index),
      MessageBody: each.sealed,
      ...(isFifo ? { MessageGroupId: each.load, MessageDeduplicationId: `${each.load}.${each.part}` } : {}),
    }));
    const command = new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries });
    const { Failed = [] } = await callAws({ action: 'sqs:SendMessage', resource: queueUrl }, () =>
      client.send(command),
    );
    return parts.filter((_, index) => Failed.some(({ Id }) => Id === String(index)));
  };
  return {
    async send(parts) {
      for (const batch of batchesOf(parts)) await sendAll(batch, send);
    },
    deadLetters: async () =>
      await callAws({ action: 'sqs:GetQueueAttributes', resource: deadLetterQueueUrl }, async () => {
        const { Attributes } = await client.send(
          new GetQueueAttributesCommand({
            QueueUrl: deadLetterQueueUrl,
            AttributeNames: ['ApproximateNumberOfMessages'],
          }),
        );
        return Number(Attributes?.['ApproximateNumberOfMessages'] ?? 0);
      }),
  };
}

async function sendAll(
  batch: readonly SealedPart[],
  send: (parts: readonly SealedPart[]) => Promise<readonly SealedPart[]>,
): Promise<void> {
  let left = batch;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    left = await send(left);
    if (left.length === 0) return;
  }
  throw new TokenmeshError({
    code: 'ERR_QUEUE_UNAVAILABLE',
    message: `SQS did not take ${left.length} of ${batch.length} messages: expected all of them within ${ATTEMPTS} attempts`,
    remedy: 'run the command again: it goes on where it stopped, and a part that is sent twice counts once',
  });
}

/** In order; what SQS takes at once. */
export function batchesOf<Sealed extends { readonly sealed: string }>(parts: readonly Sealed[]): Sealed[][] {
  const batches: Sealed[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const part of parts) {
    const last = batches.at(-1);
    bytes += part.sealed.length;
    if (last !== undefined && last.length < MESSAGES_AT_ONCE && bytes <= BYTES_AT_ONCE) last.push(part);
    else {
      batches.push([part]);
      bytes = part.sealed.length;
    }
  }
  return batches;
}
