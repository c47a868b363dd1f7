import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { TokenmeshError } from '../../errors/error.ts';
import { denyListSecretName, parseDenyList, type DenyList } from '../../pki/revocation.ts';

const ATTEMPTS = 5;

/**
 * Changes the deny list of a mesh.
 *
 * Secrets Manager has no conditional write, so the list is read again afterwards: where another writer
 * came in between, the change is made once more, on top of theirs.
 *
 * Needs `secretsmanager:GetSecretValue` and `secretsmanager:PutSecretValue` on `<mesh>/revocation/deny-list`.
 *
 * @param isIn - Whether a list holds the change.
 * @throws {TokenmeshError} `ERR_DENY_LIST_NOT_WRITTEN`, `ERR_DENY_LIST_UNUSABLE`
 */
export async function changeDenyList(
  client: SecretsManagerClient,
  meshName: string,
  change: (list: DenyList) => DenyList,
  isIn: (list: DenyList) => boolean,
): Promise<void> {
  const SecretId = denyListSecretName(meshName);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const changed = change(await readDenyList(client, meshName));
    await client.send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify(changed) }));
    if (isIn(await readDenyList(client, meshName))) return;
  }
  throw new TokenmeshError({
    code: 'ERR_DENY_LIST_NOT_WRITTEN',
    message: `secret "${SecretId}" does not hold the change: expected it after ${ATTEMPTS} attempts, got the list of another writer each time`,
    remedy: 'see who else writes it, then run the command again: it may be repeated',
  });
}

/** @throws {TokenmeshError} `ERR_DENY_LIST_UNUSABLE` */
export async function readDenyList(client: SecretsManagerClient, meshName: string): Promise<DenyList> {
  const SecretId = denyListSecretName(meshName);
  const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId }));
  return parseDenyList(SecretId, SecretString);
}

/** Makes every sidecar fetch the CRLs now. */
export async function announceCrls(
  client: SecretsManagerClient,
  meshName: string,
  publishedAt: Date,
): Promise<void> {
  const at = publishedAt.toISOString();
  const later = (list: DenyList): string =>
    list.crlsPublishedAt === undefined || list.crlsPublishedAt < at ? at : list.crlsPublishedAt;
  await changeDenyList(
    client,
    meshName,
    (list) => ({ ...list, crlsPublishedAt: later(list) }),
    (list) => later(list) === list.crlsPublishedAt,
  );
}
