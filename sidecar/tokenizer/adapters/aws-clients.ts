import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';

/**
 * Bounds for every call: three attempts, each given up soon enough that a retry still fits in the
 * deadline of the request. The SDK puts jitter between them.
 */
export const BOUNDED_CALLS = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 500, requestTimeout: 1_500, throwOnRequestTimeout: true },
} as const;

export interface AwsClients {
  readonly dynamodb: DynamoDBClient;
  readonly kms: KMSClient;
}

/** What both clients take alike. */
export type ClientConfig = Pick<DynamoDBClientConfig, 'endpoint' | 'region' | 'credentials'>;

/**
 * @param config - By default region, credentials and endpoints are the SDK's own to find:
 *   `AWS_REGION`, `AWS_ENDPOINT_URL` and the like.
 */
export function createAwsClients(config: ClientConfig = {}): AwsClients {
  return {
    dynamodb: new DynamoDBClient({ ...BOUNDED_CALLS, ...config }),
    kms: new KMSClient({ ...BOUNDED_CALLS, ...config }),
  };
}
