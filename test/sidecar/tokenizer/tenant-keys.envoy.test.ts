import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { tokenizationMesh } from '../../../mesh/tokenization-mesh.ts';
import { destroyKeys } from '../../../sidecar/tokenizer/adapters/branch-keys.ts';
import { makeTenantKeys } from '../../../sidecar/tokenizer/tenant-keys-handler.ts';
import { captureLog } from '../../fakes/captured-log.ts';
import { PREPARE_DEADLINE_MS } from '../../support/emulated-aws.ts';
import { startEmulatedVault, type EmulatedVault } from '../../support/emulated-vault.ts';

describe('the keys of the tenants', () => {
  let vault: EmulatedVault;
  beforeAll(async () => (vault = await startEmulatedVault([])), PREPARE_DEADLINE_MS);
  afterAll(async () => await vault.stop());

  const make = async () => await makeTenantKeys(vault, tokenizationMesh, captureLog().logger);

  it('are those of every tenant of the mesh, made once', async () => {
    expect(await make()).toEqual([{ tenant: 'shop', branchKey: 'created', fingerprintKey: 'created' }]);
    expect(await make()).toEqual([{ tenant: 'shop', branchKey: 'exists', fingerprintKey: 'exists' }]);
  });

  it('are not made again once they were destroyed', async () => {
    await destroyKeys(vault, { tenant: 'shop' }, new Date());
    expect(await make()).toEqual([{ tenant: 'shop', branchKey: 'destroyed', fingerprintKey: 'destroyed' }]);
  });
});
