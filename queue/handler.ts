import {
  BatchProcessor,
  EventType,
  processPartialResponse,
  SqsFifoPartialProcessorAsync,
} from '@aws-lambda-powertools/batch';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { CONTROL_PATH_CLIENT } from '../cert-exporter/adapters/clients.ts';
import { TokenmeshError } from '../errors/error.ts';
import { tokenizationMesh } from '../mesh/tokenization-mesh.ts';
import { createLogger, nameOf, type Logger } from '../runtime/log.ts';
import { secretsManagerSource } from '../sidecar/envoy/adapters/secrets-manager-source.ts';
import { createS3Results } from './adapters/s3-results.ts';
import { createPartOpener } from './adapters/sealed-part.ts';
import { createWayToTokenizer } from './adapters/way-to-tokenizer.ts';
import { readConfig } from './config.ts';
import { consumePart, type ConsumePorts } from './consume.ts';

export interface QueueWiring extends ConsumePorts {
  readonly logger: Logger;
}

export type QueueHandler = (event: SQSEvent) => Promise<SQSBatchResponse>;

/** The name in the mesh definition that this function has. */
const FUNCTION_NAME = 'bulk';

/** For a part, its retry included: below the 35 seconds after which an idempotency key is free again. */
const TOKENIZER_DEADLINE_MS = 30_000;

/**
 * Answers which messages have to come again. In a FIFO queue those behind a failed one of their group have to,
 * so that none overtakes it.
 *
 * @throws Never for a message; what is left of a batch whose event is none comes again as a whole.
 */
export function createHandler(wiring: QueueWiring): QueueHandler {
  const consume = async (record: SQSRecord): Promise<void> => await consumeLogged(record, wiring);
  return async (event) => {
    const options = { throwOnFullBatchFailure: false } as const;
    const isOrdered = event.Records[0]?.eventSourceARN.endsWith('.fifo') === true;
    if (!isOrdered)
      return await processPartialResponse(event, consume, new BatchProcessor(EventType.SQS), options);
    return await processPartialResponse(event, consume, new SqsFifoPartialProcessorAsync(), {
      ...options,
      skipGroupOnError: true,
    });
  };
}

/** The log has ids and counts. Neither a body nor a text of somebody else's error is in it. */
async function consumeLogged(record: SQSRecord, wiring: QueueWiring): Promise<void> {
  const { messageId } = record;
  const receives = Number(record.attributes.ApproximateReceiveCount);
  try {
    const consumed = await consumePart(record.body, wiring);
    wiring.logger.info({ messageId, receives, ...consumed }, 'part consumed');
  } catch (error) {
    wiring.logger.error({ messageId, receives, ...factsOf(error) }, 'part failed and comes again');
    throw error;
  }
}

function factsOf(error: unknown): Readonly<Record<string, string>> {
  return error instanceof TokenmeshError
    ? { code: error.code, reason: error.message, remedy: error.remedy }
    : { reason: nameOf(error) };
}

let wired: QueueHandler | undefined;

/** What AWS Lambda calls. The clients are made at the first event and kept for those that follow. */
export const handler: QueueHandler = async (event) => {
  wired ??= createHandler(wiringOf(process.env));
  return await wired(event);
};

function wiringOf(environment: NodeJS.ProcessEnv): QueueWiring {
  const { keyArn, resultsBucket, tokenizerEndpoint } = readConfig(environment);
  const secretsManager = new SecretsManagerClient(CONTROL_PATH_CLIENT);
  const endpoint = tokenizerEndpoint === undefined ? {} : { endpoint: tokenizerEndpoint };
  const logger = createLogger('bulk');
  return {
    opener: createPartOpener({ keyArn }),
    tokenizer: createWayToTokenizer({
      mesh: tokenizationMesh,
      source: secretsManagerSource(secretsManager, tokenizationMesh.name, FUNCTION_NAME),
      deadlineMs: TOKENIZER_DEADLINE_MS,
      now: () => new Date(),
      onKept: (error) =>
        logger.warn(factsOf(error), 'certificates not had anew, those there are stay in use'),
      ...endpoint,
    }),
    results: createS3Results({
      client: new S3Client({ ...CONTROL_PATH_CLIENT, forcePathStyle: isEmulated(environment) }),
      bucket: resultsBucket,
    }),
    logger,
  };
}

/** An endpoint of one's own has no host name for each bucket. */
function isEmulated(environment: NodeJS.ProcessEnv): boolean {
  return (environment['AWS_ENDPOINT_URL_S3'] ?? environment['AWS_ENDPOINT_URL'] ?? '') !== '';
}
