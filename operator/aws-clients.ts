import { ACMClient } from '@aws-sdk/client-acm';
import { ACMPCAClient } from '@aws-sdk/client-acm-pca';
import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

export interface AwsClients {
  readonly acm: ACMClient;
  readonly acmPca: ACMPCAClient;
  readonly cognito: CognitoIdentityProviderClient;
  readonly dynamodb: DynamoDBClient;
  readonly events: EventBridgeClient;
  readonly kms: KMSClient;
  readonly secretsManager: SecretsManagerClient;
}

/** What an emulator takes for credentials; nothing of the user's own AWS account is used in a local run. */
export const EMULATOR_CREDENTIALS = { accessKeyId: 'emulated', secretAccessKey: 'emulated' };

/** Clients for one emulator. */
export function emulatorClients(endpoint: string, region: string): AwsClients {
  const configuration = { endpoint, region, credentials: EMULATOR_CREDENTIALS, maxAttempts: 3 };
  return {
    acm: new ACMClient(configuration),
    acmPca: new ACMPCAClient(configuration),
    cognito: new CognitoIdentityProviderClient(configuration),
    dynamodb: new DynamoDBClient(configuration),
    events: new EventBridgeClient(configuration),
    kms: new KMSClient(configuration),
    secretsManager: new SecretsManagerClient(configuration),
  };
}
