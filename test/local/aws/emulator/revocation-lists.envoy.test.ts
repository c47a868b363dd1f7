import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ACMPCAClient, RevokeCertificateCommand } from '@aws-sdk/client-acm-pca';
import { createRoot, createSubordinate, issue } from '../../../support/certificate-authorities.ts';
import { PREPARE_DEADLINE_MS, startEmulatedAws, type EmulatedAws } from '../../../support/emulated-aws.ts';
import { certificateText, createCsr, openssl } from '../../../support/openssl.ts';

const BUCKET = 'crls';

let aws: EmulatedAws;
let pca: ACMPCAClient;
let arn: string;
let directory: string;

beforeAll(async () => {
  aws = await startEmulatedAws();
  pca = new ACMPCAClient({ ...aws.clientConfig, maxAttempts: 1 });
  directory = await mkdtemp(join(tmpdir(), 'tokenmesh-crl-'));
  await fetch(`${aws.endpointUrl}/${BUCKET}`, { method: 'PUT' });
  arn = await createSubordinate(pca, await createRoot(pca, { commonName: 'root' }), {
    commonName: 'revoking',
    RevocationConfiguration: {
      CrlConfiguration: { Enabled: true, S3BucketName: BUCKET, ExpirationInDays: 3 },
    },
  });
}, PREPARE_DEADLINE_MS);

afterAll(async () => {
  pca?.destroy();
  await aws?.stop();
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

/** Read as a peer reads it: without credentials. */
async function crlText(): Promise<string> {
  const answer = await fetch(`${aws.endpointUrl}/${BUCKET}/crl/${arn.split('/').at(-1)}.crl`);
  const file = join(directory, 'list.crl');
  await writeFile(file, Buffer.from(await answer.arrayBuffer()));
  return openssl('crl', '-inform', 'DER', '-in', file, '-noout', '-text');
}

describe('revocation', () => {
  it('starts with an empty list as soon as the CA is active', async () => {
    expect(await crlText()).toContain('No Revoked Certificates');
  });

  it('puts a revoked serial and the reason on the list, and names the list in what it issues', async () => {
    const issued = await issue(pca, {
      CertificateAuthorityArn: arn,
      Csr: await createCsr(directory, 'leaf', 'DNS:leaf.test'),
      Validity: { Type: 'DAYS', Value: 1 },
    });
    expect(await certificateText(directory, issued.certificate)).toContain(
      `http://${BUCKET}.s3.us-east-1.amazonaws.com/crl/`,
    );
    const serial = new X509Certificate(issued.certificate).serialNumber;
    const revoke = new RevokeCertificateCommand({
      CertificateAuthorityArn: arn,
      CertificateSerial: serial,
      RevocationReason: 'KEY_COMPROMISE',
    });
    await pca.send(revoke);
    const list = await crlText();
    expect(list).toContain(serial);
    expect(list).toContain('Key Compromise');
    await expect(pca.send(revoke)).rejects.toMatchObject({ name: 'RequestAlreadyProcessedException' });
  });

  it('refuses a serial that the CA did not issue', async () => {
    await expect(
      pca.send(
        new RevokeCertificateCommand({
          CertificateAuthorityArn: arn,
          CertificateSerial: '01:02',
          RevocationReason: 'SUPERSEDED',
        }),
      ),
    ).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

describe('a CA that is to keep a list', () => {
  it('refuses a bucket that is not there', async () => {
    const asked = createRoot(pca, {
      commonName: 'no bucket',
      RevocationConfiguration: { CrlConfiguration: { Enabled: true, S3BucketName: 'missing' } },
    });
    await expect(asked).rejects.toMatchObject({ name: 'InvalidArgsException' });
  });
});
