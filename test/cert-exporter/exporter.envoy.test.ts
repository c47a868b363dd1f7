import { beforeAll, describe, expect, it } from '@jest/globals';
import { CreateSecretCommand, GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { AcmCertificateSource } from '../../cert-exporter/adapters/acm.ts';
import { SecretsManagerStore } from '../../cert-exporter/adapters/secrets-manager.ts';
import { createHandler, type ExportHandler } from '../../cert-exporter/handler.ts';
import {
  createHierarchy,
  requestNodeCertificate,
  type CreatedHierarchy,
  type NodeCertificateWish,
} from '../../operator/ca/private-ca.ts';
import { judgeBundle } from '../../pki/bundle.ts';
import { parseCertificateSecret, secretNames } from '../../pki/secret.ts';
import { Sensitive } from '../../pki/sensitive.ts';
import { certificateSourceContract } from '../contracts/certificate-source.contract.ts';
import { secretStoreContract } from '../contracts/secret-store.contract.ts';
import { captureLog, type CapturedLog } from '../fakes/captured-log.ts';
import { withEmulator } from '../support/emulator.ts';

const clients = withEmulator();
const UNKNOWN_ARN = 'arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-4000-8000-000000000000';

let hierarchy: CreatedHierarchy;

beforeAll(async () => {
  hierarchy = await createHierarchy(clients(), {
    rootCommonName: 'clients root',
    subordinateCommonName: 'clients issuing',
    rootValidityDays: 3650,
    subordinateValidityDays: 1825,
    tags: [],
  });
});

async function request(node: string, change: Partial<NodeCertificateWish> = {}): Promise<string> {
  return requestNodeCertificate(clients(), {
    mesh: 'tokenmesh',
    node,
    role: 'client',
    domainName: `${node}.tokenmesh.internal`,
    alternativeNames: [],
    subordinateArn: hierarchy.subordinateArn,
    ...change,
  });
}

certificateSourceContract(async () => ({
  source: new AcmCertificateSource(clients().acm),
  owner: { mesh: 'tokenmesh', node: 'paybill', role: 'server' },
  dnsName: 'paybill.tokenmesh.internal',
  ownedArn: await request('paybill', { role: 'server' }),
  untaggedArn: await request('paybill', { mesh: '' }),
  unknownArn: UNKNOWN_ARN,
  rootCertificate: hierarchy.rootCertificate,
}));

secretStoreContract(async () => ({
  store: new SecretsManagerStore(clients().secretsManager),
  putRaw: async (secretName, value) => {
    await clients().secretsManager.send(new CreateSecretCommand({ Name: secretName, SecretString: value }));
  },
}));

async function secretValue(secretName: string, versionId?: string): Promise<string> {
  const command = new GetSecretValueCommand({ SecretId: secretName, VersionId: versionId });
  return (await clients().secretsManager.send(command)).SecretString ?? '';
}

describe('the exporter’s handler', () => {
  let handler: ExportHandler;
  let log: CapturedLog;

  beforeAll(() => {
    log = captureLog();
    handler = createHandler({
      ...clients(),
      meshName: 'tokenmesh',
      clock: () => new Date(),
      logger: log.logger,
    });
  });

  it('brings a certificate from ACM to where its node can use it, once', async () => {
    const certificateArn = await request('order');
    const names = secretNames('tokenmesh', 'order', 'client');
    const first = await handler({ certificateArn });
    expect(first).toMatchObject({ outcome: 'exported', node: 'order', role: 'client' });
    const secret = parseCertificateSecret(names.certificate, await secretValue(names.certificate));
    const passphrase = await secretValue(names.passphrase, secret.passphraseVersionId);
    const judged = judgeBundle({
      certificate: secret.certificate,
      chain: secret.chain,
      privateKey: { pem: secret.encryptedPrivateKey, passphrase: new Sensitive(passphrase) },
      trustedRoots: hierarchy.rootCertificate,
      expectedDnsName: 'order.tokenmesh.internal',
      role: 'client',
      now: new Date(),
    });
    expect(judged).toMatchObject({ verdict: 'usable', facts: { serial: secret.serial } });
    expect(await handler({ certificateArn })).toEqual({ ...first, outcome: 'already-exported' });
    expect(await secretValue(names.passphrase)).toBe(passphrase);
  });

  it('logs neither passphrase nor key', async () => {
    const certificateArn = await request('outsider');
    await handler({ certificateArn });
    const names = secretNames('tokenmesh', 'outsider', 'client');
    const secret = parseCertificateSecret(names.certificate, await secretValue(names.certificate));
    expect(log.text()).toContain(secret.serial);
    expect(log.text()).not.toContain(await secretValue(names.passphrase));
    expect(log.text()).not.toContain('PRIVATE KEY');
  });

  it('leaves a certificate of another mesh alone', async () => {
    const certificateArn = await request('order', { mesh: 'other' });
    expect(await handler({ certificateArn })).toMatchObject({ outcome: 'not-ours' });
  });

  it('refuses a certificate that does not exist, and an event that is none', async () => {
    await expect(handler({ certificateArn: UNKNOWN_ARN })).rejects.toMatchObject({
      code: 'ERR_CERTIFICATE_UNKNOWN',
    });
    await expect(handler({})).rejects.toMatchObject({ code: 'ERR_EVENT_INVALID' });
  });
});
