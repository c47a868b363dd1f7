import { afterAll, beforeAll } from '@jest/globals';
import { ACMClient } from '@aws-sdk/client-acm';
import { ACMPCAClient } from '@aws-sdk/client-acm-pca';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CONTROL_PATH_CLIENT } from '../../cert-exporter/adapters/clients.ts';
import { PREPARE_DEADLINE_MS, startEmulatedAws, type EmulatedAws } from './emulated-aws.ts';

export interface CertificateClients {
  readonly acm: ACMClient;
  readonly acmPca: ACMPCAClient;
  readonly secretsManager: SecretsManagerClient;
}

/**
 * An emulated AWS for the tests of one file, started before them and stopped after them.
 *
 * @returns What gives its clients, once a test or a later hook runs.
 */
export function withEmulator(env: NodeJS.ProcessEnv = {}): () => CertificateClients {
  let aws: EmulatedAws | undefined;
  let clients: CertificateClients | undefined;
  beforeAll(async () => {
    aws = await startEmulatedAws(env);
    const config = { ...CONTROL_PATH_CLIENT, ...aws.clientConfig };
    clients = {
      acm: new ACMClient(config),
      acmPca: new ACMPCAClient(aws.clientConfig),
      secretsManager: new SecretsManagerClient(config),
    };
  }, PREPARE_DEADLINE_MS);
  afterAll(async () => {
    clients?.acm.destroy();
    clients?.acmPca.destroy();
    clients?.secretsManager.destroy();
    await aws?.stop();
  });
  return () => {
    if (clients === undefined) throw new Error('the emulator is not started yet');
    return clients;
  };
}
