import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { denyListSecretName, parseDenyList, type DenyList } from '../../pki/revocation.ts';
import { changeSharedSecret, readSharedSecret, type SharedSecret } from './shared-secret.ts';

function denyListOf(meshName: string): SharedSecret<DenyList> {
  return {
    name: denyListSecretName(meshName),
    parse: parseDenyList,
    notWritten: 'ERR_DENY_LIST_NOT_WRITTEN',
  };
}

/**
 * Changes the deny list of a mesh: see {@link changeSharedSecret}.
 *
 * @throws {TokenmeshError} `ERR_DENY_LIST_NOT_WRITTEN`, `ERR_DENY_LIST_UNUSABLE`
 */
export async function changeDenyList(
  client: SecretsManagerClient,
  meshName: string,
  change: (list: DenyList) => DenyList,
  isIn: (list: DenyList) => boolean,
): Promise<void> {
  await changeSharedSecret(client, denyListOf(meshName), change, isIn);
}

/** @throws {TokenmeshError} `ERR_DENY_LIST_UNUSABLE` */
export async function readDenyList(client: SecretsManagerClient, meshName: string): Promise<DenyList> {
  return await readSharedSecret(client, denyListOf(meshName));
}

/** Makes every sidecar read which CAs there are, and fetch their CRLs, now. */
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
