import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { TokenmeshError } from '../../../errors/error.ts';
import type { CertificateRole } from '../../../mesh/definition.ts';
import { parseCertificateSecret, secretNames, trustSecretName } from '../../../pki/secret.ts';
import { Sensitive } from '../../../pki/sensitive.ts';
import type { CertificateSource } from '../cert-agent/ports.ts';

/**
 * A node's certificates in Secrets Manager.
 *
 * Needs `secretsmanager:GetSecretValue` on the node's own four secrets and the two trust bundles.
 */
export function secretsManagerSource(
  client: SecretsManagerClient,
  meshName: string,
  nodeName: string,
): CertificateSource {
  const read = async (secretName: string, versionId?: string): Promise<Found> => {
    const found = await client
      .send(
        new GetSecretValueCommand({
          SecretId: secretName,
          ...(versionId === undefined ? {} : { VersionId: versionId }),
        }),
      )
      .catch((error: unknown) => {
        throw unreadable(secretName, error);
      });
    const at = found.CreatedDate;
    return {
      version: found.VersionId ?? '',
      text: found.SecretString ?? '',
      ...(at === undefined ? {} : { publishedAt: at }),
    };
  };
  const passphrases = new Map<CertificateRole, { version: string; passphrase: Sensitive<string> }>();
  return {
    async certificate(role) {
      const names = secretNames(meshName, nodeName, role);
      const { version, text, publishedAt } = await read(names.certificate);
      const secret = parseCertificateSecret(names.certificate, text);
      const held = passphrases.get(role);
      const passphrase =
        held?.version === secret.passphraseVersionId
          ? held.passphrase
          : new Sensitive((await read(names.passphrase, secret.passphraseVersionId)).text);
      passphrases.set(role, { version: secret.passphraseVersionId, passphrase });
      const written = publishedAt === undefined ? {} : { publishedAt };
      return { version, secretName: names.certificate, secret, passphrase, ...written };
    },
    async trust(hierarchy) {
      const secretName = trustSecretName(meshName, hierarchy);
      const { version, text } = await read(secretName);
      return { version, secretName, roots: text };
    },
  };
}

interface Found {
  readonly version: string;
  readonly text: string;
  readonly publishedAt?: Date;
}

function unreadable(secretName: string, cause: unknown): TokenmeshError {
  const kind = cause instanceof Error ? cause.name : 'unknown error';
  const isAbsent = kind === 'ResourceNotFoundException';
  return new TokenmeshError({
    code: isAbsent ? 'ERR_SECRET_MISSING' : 'ERR_SECRET_UNREADABLE',
    message: `secret "${secretName}" could not be read: expected its current version, got ${kind}`,
    remedy: isAbsent
      ? 'export the certificate: npm run mesh -- rotate <node>'
      : 'see that Secrets Manager can be reached and that the role of the task may read the secret',
    cause,
  });
}
