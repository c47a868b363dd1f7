import { randomUUID } from 'node:crypto';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from '@jest/globals';
import { rolloverSecretName, secretRecords } from '../../../operator/ca/rollover-record.ts';
import { rolloverRecordsContract } from '../../contracts/rollover-records.contract.ts';
import { withEmulator } from '../../support/emulator.ts';

const clients = withEmulator();

rolloverRecordsContract(async () => secretRecords(clients().secretsManager, `mesh-${randomUUID()}`));

describe('a record that somebody wrote over', () => {
  it('is refused, with the secret named', async () => {
    const meshName = `mesh-${randomUUID()}`;
    const Name = rolloverSecretName(meshName, 'clients');
    await clients().secretsManager.send(new CreateSecretCommand({ Name, SecretString: '{"step":"soon"}' }));
    await expect(secretRecords(clients().secretsManager, meshName).read('clients')).rejects.toMatchObject({
      code: 'ERR_ROLLOVER_RECORD',
      message: expect.stringContaining(Name),
    });
  });
});
