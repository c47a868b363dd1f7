/**
 * What tokenizing in bulk stands on: a key, two queues with their dead letters, a bucket for the tokens.
 *
 * @module
 */

import { CreateBucketCommand, PutBucketEncryptionCommand } from '@aws-sdk/client-s3';
import { CreateAliasCommand, CreateKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { CreateQueueCommand, GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { bulkClients, type BulkClients } from '../../operator/bulk-clients.ts';
import type { BulkQueueState, BulkState } from '../../operator/run-state.ts';

/** How often a message is tried before it is a dead letter. */
const RECEIVES_AT_MOST = '5';

const RETENTION_SECONDS = String(4 * 86_400);
/** Longer than the queue's: the time in the queue counts. */
const DEAD_LETTER_RETENTION_SECONDS = String(14 * 86_400);

/** The names of buckets are one space for all regions. */
const resultsBucketOf = (region: string): string => `tokenmesh-bulk-results-${region}`;

export interface BulkPlan {
  readonly endpointUrl: string;
  readonly region: string;
  readonly kms: KMSClient;
  /** How long a message is out of sight of others while it is worked on. */
  readonly visibilitySeconds: number;
}

export async function createBulkResources(plan: BulkPlan): Promise<BulkState> {
  const clients = bulkClients(plan.endpointUrl, plan.region);
  const created = await plan.kms.send(new CreateKeyCommand({ Description: 'seals what is sent in bulk' }));
  const keyArn = created.KeyMetadata?.Arn ?? '';
  await plan.kms.send(new CreateAliasCommand({ AliasName: 'alias/tokenmesh-bulk', TargetKeyId: keyArn }));
  const queueOf = async (suffix: string): Promise<BulkQueueState> =>
    await createQueues(clients.sqs, keyArn, suffix, plan.visibilitySeconds);
  const resultsBucket = resultsBucketOf(plan.region);
  const [queue, orderedQueue] = await Promise.all([
    queueOf(''),
    queueOf('.fifo'),
    createResultsBucket(clients, keyArn, resultsBucket),
  ]);
  clients.sqs.destroy();
  clients.s3.destroy();
  return { keyArn, resultsBucket, queue, orderedQueue };
}

async function createQueues(
  sqs: SQSClient,
  keyArn: string,
  suffix: string,
  visibilitySeconds: number,
): Promise<BulkQueueState> {
  const kind = { KmsMasterKeyId: keyArn, ...(suffix === '.fifo' ? { FifoQueue: 'true' } : {}) };
  const dead = await sqs.send(
    new CreateQueueCommand({
      QueueName: `tokenmesh-bulk-dead${suffix}`,
      Attributes: { ...kind, MessageRetentionPeriod: DEAD_LETTER_RETENTION_SECONDS },
    }),
  );
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: dead.QueueUrl, AttributeNames: ['QueueArn'] }),
  );
  const redrive = { deadLetterTargetArn: Attributes?.['QueueArn'], maxReceiveCount: RECEIVES_AT_MOST };
  const made = await sqs.send(
    new CreateQueueCommand({
      QueueName: `tokenmesh-bulk${suffix}`,
      Attributes: {
        ...kind,
        MessageRetentionPeriod: RETENTION_SECONDS,
        VisibilityTimeout: String(visibilitySeconds),
        RedrivePolicy: JSON.stringify(redrive),
      },
    }),
  );
  return { url: made.QueueUrl ?? '', deadLetterUrl: dead.QueueUrl ?? '' };
}

async function createResultsBucket({ s3 }: BulkClients, keyArn: string, Bucket: string): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(
    new PutBucketEncryptionCommand({
      Bucket,
      ServerSideEncryptionConfiguration: {
        Rules: [
          {
            ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: keyArn },
            BucketKeyEnabled: true,
          },
        ],
      },
    }),
  );
}
