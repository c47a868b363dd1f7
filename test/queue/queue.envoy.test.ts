/**
 * The queue over emulated AWS: what lies in SQS and S3, what is tried again, and what is given up on.
 *
 * @module
 */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateKeyCommand, DisableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CreateBucketCommand,
  GetBucketEncryptionCommand,
  GetObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createBulkResources } from '../../local/aws/bulk-resources.ts';
import { runSourceMapping } from '../../local/bulk/source-mapping.ts';
import type { BulkQueueState, BulkState } from '../../operator/run-state.ts';
import { createS3Results } from '../../queue/adapters/s3-results.ts';
import { createPartOpener, createPartSealer } from '../../queue/adapters/sealed-part.ts';
import { createSqsParts } from '../../queue/adapters/sqs-parts.ts';
import { createHandler } from '../../queue/handler.ts';
import type { Part } from '../../queue/part.ts';
import { resultStoreContract } from '../contracts/result-store.contract.ts';
import { captureLog, type CapturedLog } from '../fakes/captured-log.ts';
import { PREPARE_DEADLINE_MS, startEmulatedAws, type EmulatedAws } from '../support/emulated-aws.ts';
import { PAN, partWith, recordWith, TokenizerUnderTest } from '../support/queue-under-test.ts';

const DEADLINE_MS = 60_000;
const RECEIVES_AT_MOST = 5;

/** What the records of a part hold here. */
const VALUES = /4111111111111111|4242424242424242/;

let aws: EmulatedAws;
let bulk: BulkState;
let sqs: SQSClient;
let s3: S3Client;
let kms: KMSClient;

beforeAll(async () => {
  aws = await startEmulatedAws();
  sqs = new SQSClient(aws.clientConfig);
  s3 = new S3Client({ ...aws.clientConfig, forcePathStyle: true });
  kms = new KMSClient(aws.clientConfig);
  const { endpoint: endpointUrl, region } = aws.clientConfig;
  bulk = await createBulkResources({ endpointUrl, region, kms, visibilitySeconds: 1 });
}, PREPARE_DEADLINE_MS);

afterAll(async () => {
  sqs.destroy();
  s3.destroy();
  kms.destroy();
  await aws.stop();
});

const results = () => createS3Results({ client: s3, bucket: bulk.resultsBucket });
const sealer = () => createPartSealer({ keyArn: bulk.keyArn, client: aws.clientConfig });
const opener = () => createPartOpener({ keyArn: bulk.keyArn, client: aws.clientConfig });

resultStoreContract('S3', results);

describe('a sealed part', () => {
  it('opens as it was', async () => {
    const part = partWith({ part: 7, firstRow: 601 });
    expect(await opener().open(await sealer().seal(part))).toEqual(part);
  });

  it('shows its load and its place, and nothing of its records', async () => {
    const sealed = Buffer.from(await sealer().seal(partWith()), 'base64').toString('latin1');
    expect(sealed).toContain('tokenmesh-bulk');
    expect(VALUES.test(sealed)).toBe(false);
  });

  it('refuses to open where any byte of it was changed, with one error for all', async () => {
    const sealed = Buffer.from(await sealer().seal(partWith()), 'base64');
    for (const at of [0, 30, Math.floor(sealed.length / 2), sealed.length - 1]) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect(opener().open(changed.toString('base64'))).rejects.toMatchObject({
        code: 'ERR_QUEUE_MESSAGE_UNREADABLE',
      });
    }
  });

  it.each(['', 'hello', Buffer.from('hello').toString('base64')])('refuses "%s"', async (sealed) => {
    await expect(opener().open(sealed)).rejects.toMatchObject({ code: 'ERR_QUEUE_MESSAGE_UNREADABLE' });
  });

  it('refuses one that was sealed under another key', async () => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const other = createPartSealer({ keyArn: KeyMetadata?.Arn ?? '', client: aws.clientConfig });
    await expect(opener().open(await other.seal(partWith()))).rejects.toMatchObject({
      code: 'ERR_QUEUE_MESSAGE_UNREADABLE',
    });
  });

  it('says that it may open later where its key cannot be used', async () => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const key = { keyArn: KeyMetadata?.Arn ?? '', client: aws.clientConfig };
    const sealed = await createPartSealer(key).seal(partWith());
    await kms.send(new DisableKeyCommand({ KeyId: key.keyArn }));
    const unavailable = { code: 'ERR_QUEUE_KEY_UNAVAILABLE' };
    await expect(createPartOpener(key).open(sealed)).rejects.toMatchObject(unavailable);
    await expect(createPartSealer(key).seal(partWith())).rejects.toMatchObject(unavailable);
    const away = { ...key, client: { ...aws.clientConfig, endpoint: 'http://127.0.0.1:9' } };
    await expect(createPartOpener(away).open(sealed)).rejects.toMatchObject(unavailable);
  });
});

interface Mapped {
  readonly tokenizer: TokenizerUnderTest;
  readonly log: CapturedLog;
}

/** The function behind the queue while `work` goes on. */
async function whileMapped(queue: BulkQueueState, work: (mapped: Mapped) => Promise<void>): Promise<void> {
  const [tokenizer, log, stopping] = [new TokenizerUnderTest(), captureLog(), new AbortController()];
  const mapping = runSourceMapping({
    client: sqs,
    queueUrl: queue.url,
    region: 'us-east-1',
    invoke: createHandler({ opener: opener(), tokenizer, results: results(), logger: log.logger }),
    batchSize: 10,
    signal: stopping.signal,
    onFault: () => undefined,
    wait: sleep,
  });
  try {
    await work({ tokenizer, log });
  } finally {
    stopping.abort();
    await mapping;
  }
}

async function sendTo(queue: BulkQueueState, parts: readonly Part[]): Promise<void> {
  const sealed = await Promise.all(
    parts.map(async (part) => ({ ...part, sealed: await sealer().seal(part) })),
  );
  const location = { client: sqs, queueUrl: queue.url, deadLetterQueueUrl: queue.deadLetterUrl };
  await createSqsParts(location).send(sealed);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(50);
}

async function waitingIn(queueUrl: string): Promise<number> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: queueUrl,
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    }),
  );
  return Object.values(Attributes ?? {}).reduce((sum, count) => sum + Number(count), 0);
}

describe('the queue', () => {
  it('and the bucket of the results lie under the customer key', async () => {
    for (const { url, deadLetterUrl } of [bulk.queue, bulk.orderedQueue]) {
      for (const QueueUrl of [url, deadLetterUrl]) {
        const asked = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['KmsMasterKeyId'] });
        expect((await sqs.send(asked)).Attributes?.['KmsMasterKeyId']).toBe(bulk.keyArn);
      }
    }
    const found = await s3.send(new GetBucketEncryptionCommand({ Bucket: bulk.resultsBucket }));
    expect(found.ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault).toEqual({
      SSEAlgorithm: 'aws:kms',
      KMSMasterKeyID: bulk.keyArn,
    });
  });

  it(
    'empties as its parts are tokenized, and keeps their tokens in S3',
    async () => {
      const load = randomUUID();
      const parts = [1, 2, 3].map((part) => partWith({ load, part, firstRow: 2 * part - 1 }));
      await whileMapped(bulk.queue, async () => {
        await sendTo(bulk.queue, parts);
        await until(async () => (await results().list(load)).length === 3);
        await until(async () => (await waitingIn(bulk.queue.url)) === 0);
      });
      const { Body, ServerSideEncryption } = await s3.send(
        new GetObjectCommand({ Bucket: bulk.resultsBucket, Key: `loads/${load}/000000002.jsonl` }),
      );
      expect(await Body?.transformToString()).toMatch(
        /^\{"row":3,"token":"tkn_\d"\}\n\{"row":4,"token":"tkn_\d"\}\n$/,
      );
      expect(ServerSideEncryption).toBe('aws:kms');
    },
    DEADLINE_MS,
  );

  it(
    'takes the failed part of a batch again, alone',
    async () => {
      const load = randomUUID();
      const parts = [
        partWith({ load, part: 1 }),
        partWith({ load, part: 2, items: [recordWith('4242424242424242')] }),
      ];
      await whileMapped(bulk.queue, async ({ tokenizer }) => {
        tokenizer.instead = (record) =>
          record.fields['number']?.value === PAN ? { later: 'ERR_STORE_UNAVAILABLE' } : undefined;
        await sendTo(bulk.queue, parts);
        await until(async () => tokenizer.calls.filter((key) => key === `${load}.1`).length === 2);
        tokenizer.instead = () => undefined;
        await until(async () => (await results().list(load)).length === 2);
        expect(tokenizer.calls.filter((key) => key === `${load}.2`)).toHaveLength(1);
      });
    },
    DEADLINE_MS,
  );

  it(
    'gives up on what never succeeds, which is a dead letter then, still sealed',
    async () => {
      const part = partWith();
      await whileMapped(bulk.queue, async ({ tokenizer, log }) => {
        tokenizer.instead = () => ({ later: 'ERR_CLASS_DENIED' });
        await sendTo(bulk.queue, [part]);
        await sqs.send(
          new SendMessageCommand({ QueueUrl: bulk.queue.url, MessageBody: 'from somebody else' }),
        );
        await until(async () => (await waitingIn(bulk.queue.deadLetterUrl)) === 2);
        // A poll that was cut off before may have received it once too.
        expect(tokenizer.calls.length).toBeGreaterThan(1);
        expect(tokenizer.calls.length).toBeLessThanOrEqual(RECEIVES_AT_MOST);
        expect(log.text()).toContain('ERR_QUEUE_MESSAGE_UNREADABLE');
        expect(VALUES.test(log.text())).toBe(false);
      });
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: bulk.queue.deadLetterUrl, MaxNumberOfMessages: 10 }),
      );
      const bodies = Messages.map(({ Body = '' }) => Body).filter((body) => body !== 'from somebody else');
      expect(bodies).toHaveLength(1);
      expect(Buffer.from(bodies[0] ?? '', 'base64').toString('latin1')).not.toMatch(VALUES);
      expect(await opener().open(bodies[0] ?? '')).toEqual(part);
    },
    DEADLINE_MS,
  );

  it(
    'keeps the parts of a load in order where it is FIFO, also behind one that fails at first',
    async () => {
      const load = randomUUID();
      const parts = [1, 2, 3, 4].map((part) =>
        partWith({ load, part, items: [recordWith(part === 2 ? PAN : '4242424242424242')] }),
      );
      await whileMapped(bulk.orderedQueue, async ({ tokenizer }) => {
        tokenizer.instead = (record) =>
          record.fields['number']?.value === PAN ? { later: 'ERR_STORE_UNAVAILABLE' } : undefined;
        await sendTo(bulk.orderedQueue, parts);
        await until(async () => tokenizer.calls.includes(`${load}.2`));
        expect(await results().list(load)).toEqual([1]);
        expect(tokenizer.calls).not.toContain(`${load}.3`);
        tokenizer.instead = () => undefined;
        await until(async () => (await results().list(load)).length === 4);
        const order = [...new Set(tokenizer.calls)];
        expect(order).toEqual([1, 2, 3, 4].map((part) => `${load}.${part}`));
      });
    },
    DEADLINE_MS,
  );

  it('says what does not answer', async () => {
    const away = new SQSClient({ ...aws.clientConfig, endpoint: 'http://127.0.0.1:9', maxAttempts: 1 });
    const nowhere = createSqsParts({
      client: away,
      queueUrl: 'http://127.0.0.1:9/q',
      deadLetterQueueUrl: 'http://127.0.0.1:9/d',
    });
    await expect(nowhere.deadLetters()).rejects.toMatchObject({ code: 'ERR_AWS_CALL_FAILED' });
    await expect(nowhere.send([{ load: 'a-load-of-mine', part: 1, sealed: 'x' }])).rejects.toMatchObject({
      code: 'ERR_AWS_CALL_FAILED',
    });
    const missing = createS3Results({ client: s3, bucket: 'no-such-bucket' });
    await expect(missing.list('a-load-of-mine')).rejects.toMatchObject({ code: 'ERR_AWS_CALL_FAILED' });
    await s3.send(new CreateBucketCommand({ Bucket: 'another-bucket' }));
    expect(await createS3Results({ client: s3, bucket: 'another-bucket' }).list('a-load-of-mine')).toEqual(
      [],
    );
    away.destroy();
  });
});
