import { DescribeKeyCommand } from '@aws-sdk/client-kms';
import { findBranchKey } from '../../sidecar/tokenizer/adapters/branch-key-versions.ts';
import { readFingerprintState } from '../../sidecar/tokenizer/adapters/fingerprint-state.ts';
import type { AwsClients } from '../aws-clients.ts';
import type { KMS_KEYS } from '../checks/expected.ts';
import type { TenantKeyFacts } from '../checks/vault.ts';
import type { RunState } from '../run-state.ts';

/** @returns The state of a key, as KMS names it. */
export async function kmsKeyState(
  { kms }: Pick<AwsClients, 'kms'>,
  state: RunState,
  key: (typeof KMS_KEYS)[number],
): Promise<string> {
  const KeyId = key === 'vault' ? state.vaultKeyArn : state.auditKeyArn;
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }));
  return KeyMetadata?.KeyState ?? 'unknown';
}

export async function tenantKeyFacts(
  { dynamodb, kms }: Pick<AwsClients, 'dynamodb' | 'kms'>,
  state: RunState,
  tenant: string,
): Promise<TenantKeyFacts> {
  const location = { dynamodb, kms, keysTableName: state.tables.keys, kmsKeyArn: state.vaultKeyArn };
  const [branch, fingerprint] = await Promise.all([
    findBranchKey(location, { tenant }),
    readFingerprintState(location, tenant),
  ]);
  return {
    tenant,
    hasBranchKey: branch?.isDestroyed === false && branch.versions.some(({ isActive }) => isActive),
    hasFingerprintKey: (fingerprint?.write.length ?? 0) > 0,
  };
}
