import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { callAws } from '../../cert-exporter/adapters/aws-failure.ts';
import { trustSecretName } from '../../pki/secret.ts';
import type { TrustBundles } from './ports.ts';

/**
 * The trust bundles in Secrets Manager, which every node's agent reads.
 *
 * Needs `secretsmanager:GetSecretValue` and `PutSecretValue` on the two secrets.
 */
export function secretTrustBundles(client: SecretsManagerClient, meshName: string): TrustBundles {
  return {
    async publish(hierarchy, roots) {
      const SecretId = trustSecretName(meshName, hierarchy);
      const SecretString = roots.map((pem) => `${pem.trim()}\n`).join('');
      const reading = { action: 'secretsmanager:GetSecretValue', resource: SecretId };
      const current = await callAws(reading, () => client.send(new GetSecretValueCommand({ SecretId })));
      if (current.SecretString?.trim() === SecretString.trim() && current.VersionId !== undefined) {
        return current.VersionId;
      }
      const writing = { action: 'secretsmanager:PutSecretValue', resource: SecretId };
      const written = await callAws(writing, () =>
        client.send(new PutSecretValueCommand({ SecretId, SecretString })),
      );
      return written.VersionId ?? '';
    },
  };
}
