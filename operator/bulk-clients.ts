import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { EMULATOR_CREDENTIALS } from './aws-clients.ts';

export interface BulkClients {
  readonly sqs: SQSClient;
  readonly s3: S3Client;
}

/** Clients for one emulator, which has no host name for each bucket. */
export function bulkClients(endpoint: string, region: string): BulkClients {
  const configuration = { endpoint, region, credentials: EMULATOR_CREDENTIALS, maxAttempts: 3 };
  return {
    sqs: new SQSClient(configuration),
    s3: new S3Client({ ...configuration, forcePathStyle: true }),
  };
}
