/**
 * The renewal function in a local run: EventBridge's daily schedule, and delivery as on AWS.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Mesh } from '../mesh/definition.ts';
import { EMULATOR_CREDENTIALS, type AwsClients } from '../operator/aws-clients.ts';
import { createHandler } from '../renewal/handler.ts';
import type { Logger } from '../runtime/log.ts';
import { invokeAsynchronously } from './asynchronous-invocation.ts';
import { createDeadLetterQueue, RENEWAL_DEAD_LETTERS, sqsDeadLetters } from './aws/dead-letter-queue.ts';

const DAY_MS = 86_400_000;

export interface ScheduleParts {
  readonly mesh: Mesh;
  readonly aws: AwsClients;
  readonly endpointUrl: string;
  readonly region: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** @default a day */
  readonly everyMs?: number;
}

/** Makes the dead-letter queue, and reconciles once a day until the signal. */
export async function startRenewalSchedule(parts: ScheduleParts): Promise<void> {
  const { mesh, aws, endpointUrl: endpoint, region, logger, signal } = parts;
  const sqs = new SQSClient({ endpoint, region, credentials: EMULATOR_CREDENTIALS });
  const queueUrl = await createDeadLetterQueue(sqs, RENEWAL_DEAD_LETTERS);
  const { acm, secretsManager } = aws;
  const pause = async (ms: number): Promise<unknown> => await sleep(ms, undefined, { signal, ref: false });
  const handler = createHandler({
    ...{ acm, secretsManager, meshName: mesh.name, logger },
    clock: () => new Date(),
    sleep: async (ms) => void (await pause(ms)),
    random: Math.random,
  });
  const invocation = { handler, deadLetters: sqsDeadLetters(sqs, queueUrl), sleep: pause };
  const timer = setInterval(() => {
    const event = { source: 'aws.events', 'detail-type': 'Scheduled Event', resources: [], detail: {} };
    void invokeAsynchronously(invocation, event).catch((error: unknown) => {
      if (!signal.aborted) logger.error({ cause: String(error) }, 'a reconcile could not be delivered');
    });
  }, parts.everyMs ?? DAY_MS);
  timer.unref();
  signal.addEventListener('abort', () => {
    clearInterval(timer);
    sqs.destroy();
  });
}
