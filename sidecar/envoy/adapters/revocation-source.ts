import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { TokenmeshError } from '../../../errors/error.ts';
import {
  authoritiesSecretName,
  denyListSecretName,
  parseAuthorities,
  parseDenyList,
  type CrlPlace,
} from '../../../pki/revocation.ts';
import type { DeliveredDenyList, RevocationSource } from '../cert-agent/ports.ts';

/** Reads one object, whole. */
export type ReadObject = (place: CrlPlace) => Promise<Uint8Array>;

/**
 * What is revoked: two secrets of the mesh, and the lists that the CAs write to their bucket.
 *
 * Needs `secretsmanager:GetSecretValue` on `<mesh>/revocation/*`, and `s3:GetObject` on `crl/*` of the
 * bucket.
 */
export function revocationSource(
  client: SecretsManagerClient,
  readObject: ReadObject,
  meshName: string,
): RevocationSource {
  const denyListName = denyListSecretName(meshName);
  const authoritiesName = authoritiesSecretName(meshName);
  let parsed: DeliveredDenyList | undefined;
  return {
    async denyList() {
      const { version, text } = await read(client, denyListName);
      if (version !== parsed?.version) parsed = { version, list: parseDenyList(denyListName, text) };
      return parsed;
    },
    async authorities() {
      return parseAuthorities(authoritiesName, (await read(client, authoritiesName)).text);
    },
    async crl(place) {
      try {
        return await readObject(place);
      } catch (error) {
        throw unavailable(place, error);
      }
    },
  };
}

async function read(
  client: SecretsManagerClient,
  secretName: string,
): Promise<{ version: string; text: string }> {
  try {
    const found = await client.send(new GetSecretValueCommand({ SecretId: secretName }));
    return { version: found.VersionId ?? '', text: found.SecretString ?? '' };
  } catch (cause) {
    throw new TokenmeshError({
      code: 'ERR_REVOCATION_UNAVAILABLE',
      message: `secret "${secretName}" could not be read: expected its current version, got ${cause instanceof Error ? cause.name : 'unknown error'}`,
      remedy:
        'see that it is there, that Secrets Manager can be reached, and that the role of the task may read it',
      cause,
    });
  }
}

function unavailable({ bucket, key }: CrlPlace, cause: unknown): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_CRL_UNAVAILABLE',
    message: `the CRL at s3://${bucket}/${key} could not be read: ${cause instanceof Error ? cause.message : 'unknown error'}`,
    remedy:
      'see that the CA writes its CRL there, that S3 can be reached, and that the role of the task may read it',
    cause,
  });
}
