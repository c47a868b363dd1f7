import { CfnOutput, Duration } from 'aws-cdk-lib';
import { SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { Key, type IKey } from 'aws-cdk-lib/aws-kms';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Queue, QueueEncryption, RedrivePermission } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import {
  BULK_QUEUE_SUFFIXES,
  bulkQueueName,
  bulkResultsBucketName,
  type BulkQueueSuffix,
} from '../access/arns.ts';
import type { KeyArns } from '../access/node-rights.ts';
import { functionLog, NodeFunction } from '../constructs/node-function.ts';
import type { Roles } from '../constructs/roles.ts';
import { bulkConcurrency } from '../sizes.ts';
import { CLOSED, type NetworkStack } from './network-stack.ts';
import { RegionStack, type RegionProps } from './region-stack.ts';

export interface BulkProps extends RegionProps {
  readonly keys: KeyArns;
  readonly roles: Roles;
  readonly network: NetworkStack;
}

/** Of an event; a part alone has half of it (`queue/handler.ts`). */
const TIMEOUT = Duration.seconds(60);

/** Six times the function's: AWS Lambda Developer Guide, "Configuring a queue to use with Lambda". */
const VISIBILITY = Duration.seconds(TIMEOUT.toSeconds() * 6);

const PARTS_AT_ONCE = 5;
const RECEIVES_AT_MOST = 5;

const RETENTION = Duration.days(4);
/** Longer than the queue's: the time in the queue counts. */
const DEAD_LETTER_RETENTION = Duration.days(14);

/** Longer than any message lives: one that comes late has to find that it was done. */
const RESULTS_LIFE = Duration.days(30);

/** One queue, and where what it gave up on goes. */
export interface BulkQueue {
  readonly parts: Queue;
  readonly dead: Queue;
}

/** Tokenizing in bulk: the queues, the function that takes from them, and the bucket of the tokens. */
export class BulkStack extends RegionStack {
  readonly queues: readonly BulkQueue[];
  readonly handler: NodeFunction;
  readonly #key: IKey;

  constructor(scope: Construct, props: BulkProps) {
    super(scope, 'bulk', 'tokenizing in bulk: queues, function, results', props);
    this.#key = Key.fromKeyArn(this, 'key', props.keys.bulk);
    this.queues = BULK_QUEUE_SUFFIXES.map((suffix) => this.#queue(suffix));
    const results = this.#results();
    this.handler = this.#handler(props);
    for (const { parts } of this.queues) this.#map(parts);
    for (const { parts, dead } of this.queues) {
      new CfnOutput(this, `${parts.node.id}-url`, { value: parts.queueUrl });
      new CfnOutput(this, `${dead.node.id}-url`, { value: dead.queueUrl });
    }
    new CfnOutput(this, 'results-bucket', { value: results.bucketName });
  }

  #queue(suffix: BulkQueueSuffix): BulkQueue {
    const isFifo = suffix === '.fifo';
    const parts = bulkQueueName(this.mesh, 'parts', suffix);
    const common = {
      ...(isFifo ? { fifo: true } : {}),
      encryption: QueueEncryption.KMS,
      encryptionMasterKey: this.#key,
      enforceSSL: true,
    };
    const dead = new Queue(this, isFifo ? 'ordered-dead' : 'dead', {
      ...common,
      queueName: bulkQueueName(this.mesh, 'dead', suffix),
      retentionPeriod: DEAD_LETTER_RETENTION,
      redriveAllowPolicy: {
        redrivePermission: RedrivePermission.BY_QUEUE,
        sourceQueues: [
          Queue.fromQueueArn(
            this,
            isFifo ? 'ordered-source' : 'source',
            this.formatArn({ service: 'sqs', resource: parts }),
          ),
        ],
      },
    });
    return {
      dead,
      parts: new Queue(this, isFifo ? 'ordered-parts' : 'parts', {
        ...common,
        queueName: parts,
        retentionPeriod: RETENTION,
        visibilityTimeout: VISIBILITY,
        deadLetterQueue: { queue: dead, maxReceiveCount: RECEIVES_AT_MOST },
      }),
    };
  }

  #results(): Bucket {
    return new Bucket(this, 'results', {
      bucketName: bulkResultsBucketName(this, this.mesh),
      encryption: BucketEncryption.KMS,
      encryptionKey: this.#key,
      bucketKeyEnabled: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: true,
      lifecycleRules: [{ expiration: RESULTS_LIFE, noncurrentVersionExpiration: Duration.days(1) }],
      removalPolicy: this.removalPolicy,
    });
  }

  /** It finds the tokenizer by its name in Cloud Map: no endpoint is among its settings. */
  #handler({ keys, roles, network }: BulkProps): NodeFunction {
    const group = network.functionGroups['bulk'];
    if (group === undefined) throw new Error('expected a security group of the function bulk');
    return new NodeFunction(this, 'function', {
      name: 'bulk',
      entry: 'queue/handler.ts',
      description: 'tokenizes the records of its queues through the tokenizer',
      role: roles.functions.bulk.withoutPolicyUpdates(),
      timeout: TIMEOUT,
      environment: {
        TOKENMESH_BULK_KEY_ARN: keys.bulk,
        TOKENMESH_BULK_RESULTS_BUCKET: bulkResultsBucketName(this, this.mesh),
      },
      logGroup: functionLog(this, 'bulk', keys.operations),
      network: {
        vpc: network.vpc,
        vpcSubnets: { subnetGroupName: CLOSED },
        securityGroups: [
          SecurityGroup.fromSecurityGroupId(this, 'group', group.securityGroupId, { mutable: false }),
        ],
      },
    });
  }

  #map(parts: Queue): void {
    new EventSourceMapping(this, `${parts.node.id}-mapping`, {
      target: this.handler,
      eventSourceArn: parts.queueArn,
      batchSize: PARTS_AT_ONCE,
      reportBatchItemFailures: true,
      maxConcurrency: bulkConcurrency(this.deployment.size),
    });
  }
}
