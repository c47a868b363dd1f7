/** The function "bulk" in a process of its own, with what Lambda puts before it: one mapping for each queue. */

import { setTimeout as sleep } from 'node:timers/promises';
import { SQSClient } from '@aws-sdk/client-sqs';
import { handler } from '../../queue/handler.ts';
import { stopOnSignal } from '../../runtime/lifecycle.ts';
import { createLogger, nameOf } from '../../runtime/log.ts';
import { runSourceMapping } from './source-mapping.ts';

/** Messages in one event: what is tokenized in about a second against the emulated AWS. */
const BATCH_SIZE = 2;

const logger = createLogger('bulk');
const client = new SQSClient({ maxAttempts: 3 });
const stopping = new AbortController();
const queueUrls = (process.env['TOKENMESH_BULK_QUEUE_URLS'] ?? '').split(' ');

const mappings = queueUrls.map((queueUrl) =>
  runSourceMapping({
    client,
    queueUrl,
    region: process.env['AWS_REGION'] ?? '',
    invoke: handler,
    batchSize: BATCH_SIZE,
    signal: stopping.signal,
    onFault: (error) => logger.error({ reason: nameOf(error) }, 'batch failed and comes again'),
    wait: sleep,
  }),
);

stopOnSignal(async () => {
  stopping.abort();
  await Promise.all(mappings);
});
logger.info({ queues: queueUrls.length }, 'function polls');
