/**
 * The function that makes the keys of every tenant of the mesh, when the mesh is deployed. What is there
 * is left alone, so it may run again and again; a tenant that was destroyed stays destroyed.
 *
 * IAM: what `adapters/branch-keys.ts` and `adapters/fingerprint-versions.ts` need to make keys.
 *
 * @module
 */

import type { Mesh } from '../../mesh/definition.ts';
import { tokenizationMesh } from '../../mesh/tokenization-mesh.ts';
import { createLogger, type Logger } from '../../runtime/log.ts';
import { TABLES } from '../tables.ts';
import { createAwsClients } from './adapters/aws-clients.ts';
import type { KeyStoreLocation } from './adapters/branch-key-store.ts';
import { createBranchKey } from './adapters/branch-keys.ts';
import { createFingerprintKey } from './adapters/fingerprint-versions.ts';
import { TenantShreddedError } from './core/errors.ts';
import { vaultTenants } from '../../mesh/vault-access.ts';

export type MadeKey = 'created' | 'exists';

export interface TenantKeys {
  readonly tenant: string;
  readonly branchKey: MadeKey | 'destroyed';
  readonly fingerprintKey: MadeKey | 'destroyed';
}

export async function makeTenantKeys(
  location: KeyStoreLocation,
  mesh: Mesh,
  logger: Logger,
): Promise<TenantKeys[]> {
  const made: TenantKeys[] = [];
  for (const tenant of vaultTenants(mesh)) {
    const keys = { tenant, ...(await keysOf(location, tenant)) };
    logger.info({ ...keys }, 'keys of a tenant are there');
    made.push(keys);
  }
  return made;
}

async function keysOf(location: KeyStoreLocation, tenant: string): Promise<Omit<TenantKeys, 'tenant'>> {
  try {
    const branchKey = await createBranchKey(location, { tenant });
    return { branchKey, fingerprintKey: await createFingerprintKey(location, tenant) };
  } catch (error) {
    if (error instanceof TenantShreddedError) return { branchKey: 'destroyed', fingerprintKey: 'destroyed' };
    throw error;
  }
}

/** What AWS Lambda calls, with whatever event. */
export const handler = async (): Promise<TenantKeys[]> =>
  await makeTenantKeys(
    {
      ...createAwsClients(),
      keysTableName: TABLES.keys,
      kmsKeyArn: process.env['TOKENMESH_KMS_KEY_ARN'] ?? '',
    },
    tokenizationMesh,
    createLogger('tenant-keys'),
  );
