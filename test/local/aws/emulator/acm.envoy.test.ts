import { createPrivateKey, X509Certificate } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  ACMClient,
  AddTagsToCertificateCommand,
  DescribeCertificateCommand,
  ExportCertificateCommand,
  ListCertificatesCommand,
  ListTagsForCertificateCommand,
  RenewCertificateCommand,
  RequestCertificateCommand,
  type CertificateDetail,
  type KeyAlgorithm,
  type RequestCertificateCommandInput,
} from '@aws-sdk/client-acm';
import { ACMPCAClient, RevokeCertificateCommand } from '@aws-sdk/client-acm-pca';
import { PREPARE_DEADLINE_MS, startEmulatedAws, type EmulatedAws } from '../../../support/emulated-aws.ts';
import {
  createHierarchy,
  createSubordinate,
  permitAcm,
  type Hierarchy,
} from '../../../support/certificate-authorities.ts';

const DELAY_MS = 400;
const PASSPHRASE = 'correct-horse-battery';

let aws: EmulatedAws;
let acm: ACMClient;
let pca: ACMPCAClient;
let permitted: Hierarchy;
let unpermitted: Hierarchy;

beforeAll(async () => {
  aws = await startEmulatedAws({ TOKENMESH_ACM_RENEWAL_DELAY_MS: String(DELAY_MS) });
  acm = new ACMClient({ ...aws.clientConfig, maxAttempts: 1 });
  pca = new ACMPCAClient({ ...aws.clientConfig, maxAttempts: 1 });
  permitted = await createHierarchy(pca, 'permitted');
  await permitAcm(pca, permitted.subordinateArn);
  unpermitted = await createHierarchy(pca, 'unpermitted');
}, PREPARE_DEADLINE_MS);

afterAll(async () => {
  acm?.destroy();
  pca?.destroy();
  await aws?.stop();
});

async function request(asked: Partial<RequestCertificateCommandInput> = {}): Promise<string> {
  const { CertificateArn = '' } = await acm.send(
    new RequestCertificateCommand({
      DomainName: 'order.test.internal',
      CertificateAuthorityArn: permitted.subordinateArn,
      KeyAlgorithm: 'EC_prime256v1',
      ...asked,
    }),
  );
  return CertificateArn;
}

async function describeCertificate(arn: string): Promise<CertificateDetail> {
  const { Certificate } = await acm.send(new DescribeCertificateCommand({ CertificateArn: arn }));
  return Certificate as CertificateDetail;
}

async function settled(
  arn: string,
  isSettled: (found: CertificateDetail) => boolean,
): Promise<CertificateDetail> {
  const found = await describeCertificate(arn);
  if (isSettled(found)) return found;
  await delay(40);
  return settled(arn, isSettled);
}

async function requestIssued(asked: Partial<RequestCertificateCommandInput> = {}): Promise<string> {
  const arn = await request(asked);
  await settled(arn, ({ Status }) => Status === 'ISSUED');
  return arn;
}

async function exportCertificate(
  arn: string,
): Promise<{ leaf: X509Certificate; chain: string; key: string }> {
  const exported = await acm.send(
    new ExportCertificateCommand({ CertificateArn: arn, Passphrase: Buffer.from(PASSPHRASE) }),
  );
  return {
    leaf: new X509Certificate(exported.Certificate ?? ''),
    chain: exported.CertificateChain ?? '',
    key: exported.PrivateKey ?? '',
  };
}

const hexOf = (serial: string | undefined): string => (serial ?? '').replaceAll(':', '').toUpperCase();
const isFailed = ({ Status }: CertificateDetail): boolean => Status === 'FAILED';
const isOver = ({ RenewalSummary }: CertificateDetail): boolean =>
  RenewalSummary?.RenewalStatus === 'SUCCESS' || RenewalSummary?.RenewalStatus === 'FAILED';

async function failureReason(authorityArn: string): Promise<string | undefined> {
  const arn = await request({ CertificateAuthorityArn: authorityArn });
  return (await settled(arn, isFailed)).FailureReason;
}

describe('a requested certificate', () => {
  it('is pending, without serial, until the delay is over, then issued', async () => {
    const requestedAt = performance.now();
    const arn = await request();
    const pending = await describeCertificate(arn);
    expect(pending.Status).toBe('PENDING_VALIDATION');
    expect(pending.Serial).toBeUndefined();
    const issued = await settled(arn, ({ Status }) => Status === 'ISSUED');
    expect(performance.now() - requestedAt).toBeGreaterThanOrEqual(DELAY_MS);
    expect(issued).toMatchObject({
      Type: 'PRIVATE',
      KeyAlgorithm: 'EC_prime256v1',
      CertificateAuthorityArn: permitted.subordinateArn,
      RenewalEligibility: 'INELIGIBLE',
    });
    expect(issued.Serial).toMatch(/^([0-9a-f]{2}:)+[0-9a-f]{2}$/);
  });

  it('refuses its export while it is pending', async () => {
    await expect(exportCertificate(await request())).rejects.toMatchObject({
      name: 'RequestInProgressException',
    });
  });

  it('exports a key that opens with the passphrase and no other, and fits the leaf', async () => {
    const { leaf, key } = await exportCertificate(await requestIssued());
    expect(key).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    const opened = createPrivateKey({ key, passphrase: PASSPHRASE });
    expect(leaf.checkPrivateKey(opened)).toBe(true);
    expect(opened.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    expect(() => createPrivateKey({ key, passphrase: 'another' })).toThrow(/bad decrypt/i);
  });

  it('exports the chain from its issuer up to the root', async () => {
    const { leaf, chain } = await exportCertificate(await requestIssued());
    expect(chain.trim()).toBe(`${permitted.subordinate}\n${permitted.root}`);
    expect(leaf.verify(new X509Certificate(permitted.subordinate).publicKey)).toBe(true);
    expect(leaf.checkIssued(new X509Certificate(permitted.subordinate))).toBe(true);
  });

  it('names its domain and the others once each, serves both sides, and lives 395 days from an hour back', async () => {
    const arn = await requestIssued({
      SubjectAlternativeNames: ['alias.test.internal', 'order.test.internal'],
    });
    const { leaf } = await exportCertificate(arn);
    expect(leaf.subjectAltName).toBe('DNS:order.test.internal, DNS:alias.test.internal');
    expect(leaf.subject).toBe('CN=order.test.internal');
    expect(leaf.keyUsage?.toSorted()).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    const lifeHours = (leaf.validToDate.getTime() - leaf.validFromDate.getTime()) / 3_600_000;
    expect(lifeHours).toBeCloseTo(395 * 24 + 1, 1);
    expect(leaf.validFromDate.getTime()).toBeLessThan(Date.now() - 3_500_000);
  });

  it('has an RSA key of 2048 bits where no algorithm is named', async () => {
    const { CertificateArn = '' } = await acm.send(
      new RequestCertificateCommand({
        DomainName: 'rsa.test',
        CertificateAuthorityArn: permitted.subordinateArn,
      }),
    );
    await settled(CertificateArn, ({ Status }) => Status === 'ISSUED');
    const { leaf } = await exportCertificate(CertificateArn);
    expect(leaf.publicKey.asymmetricKeyDetails?.modulusLength).toBe(2048);
  });

  it('is the same one for the same idempotency token and wish', async () => {
    const first = await request({ IdempotencyToken: 'once' });
    expect(await request({ IdempotencyToken: 'once' })).toBe(first);
    expect(await request({ IdempotencyToken: 'once', DomainName: 'else.test' })).not.toBe(first);
  });

  it('fails, and says why, where its CA cannot issue it', async () => {
    const shortLived = await createSubordinate(pca, permitted.rootArn, {
      commonName: 'short',
      UsageMode: 'SHORT_LIVED_CERTIFICATE',
    });
    const missing = permitted.subordinateArn.replace(/[^/]+$/, '00000000-0000-4000-8000-000000000000');
    const endsSoon = await createSubordinate(
      pca,
      permitted.rootArn,
      { commonName: 'soon' },
      { Type: 'DAYS', Value: 30 },
    );
    expect(await failureReason(shortLived)).toBe('PCA_INVALID_ARGS');
    expect(await failureReason(endsSoon)).toBe('PCA_INVALID_DURATION');
    expect(await failureReason(missing)).toBe('PCA_RESOURCE_NOT_FOUND');
  });

  it('can be revoked at its CA by its serial', async () => {
    const { Serial } = await describeCertificate(await requestIssued());
    const revoked = await pca.send(
      new RevokeCertificateCommand({
        CertificateAuthorityArn: permitted.subordinateArn,
        CertificateSerial: Serial,
        RevocationReason: 'SUPERSEDED',
      }),
    );
    expect(revoked.$metadata.httpStatusCode).toBe(200);
  });

  it('refuses a passphrase that is short, or that holds what ACM does not take', async () => {
    const arn = await requestIssued();
    for (const passphrase of ['abc', 'with#hash', 'with$dollar', 'with%percent']) {
      const refused = acm.send(
        new ExportCertificateCommand({ CertificateArn: arn, Passphrase: Buffer.from(passphrase) }),
      );
      await expect(refused).rejects.toMatchObject({ name: 'ValidationException' });
    }
  });
});

describe('a renewal', () => {
  it('shows a new serial and a new key after the delay and not before', async () => {
    const arn = await requestIssued();
    const before = await exportCertificate(arn);
    const renewedAt = performance.now();
    await acm.send(new RenewCertificateCommand({ CertificateArn: arn }));

    const pending = await describeCertificate(arn);
    expect(pending.RenewalSummary?.RenewalStatus).toBe('PENDING_AUTO_RENEWAL');
    expect(hexOf(pending.Serial)).toBe(before.leaf.serialNumber);
    expect((await exportCertificate(arn)).leaf.serialNumber).toBe(before.leaf.serialNumber);

    const after = await settled(arn, isOver);
    expect(performance.now() - renewedAt).toBeGreaterThanOrEqual(DELAY_MS);
    expect(after).toMatchObject({ Status: 'ISSUED', RenewalSummary: { RenewalStatus: 'SUCCESS' } });
    const { leaf, key } = await exportCertificate(arn);
    expect(hexOf(after.Serial)).toBe(leaf.serialNumber);
    expect(leaf.serialNumber).not.toBe(before.leaf.serialNumber);
    expect(leaf.publicKey.equals(before.leaf.publicKey)).toBe(false);
    expect(leaf.checkPrivateKey(createPrivateKey({ key, passphrase: PASSPHRASE }))).toBe(true);
    expect(leaf.subjectAltName).toBe(before.leaf.subjectAltName);
  });

  it('fails without the permission of the CA, and leaves the certificate as it is', async () => {
    const arn = await requestIssued({ CertificateAuthorityArn: unpermitted.subordinateArn });
    const before = await exportCertificate(arn);
    await acm.send(new RenewCertificateCommand({ CertificateArn: arn }));
    const after = await settled(arn, isOver);
    expect(after.RenewalSummary).toMatchObject({
      RenewalStatus: 'FAILED',
      RenewalStatusReason: 'PCA_ACCESS_DENIED',
    });
    expect(after.Status).toBe('ISSUED');
    expect(hexOf(after.Serial)).toBe(before.leaf.serialNumber);
  });

  it('renews again after it has failed, once the permission is there', async () => {
    const late = await createHierarchy(pca, 'late');
    const arn = await requestIssued({ CertificateAuthorityArn: late.subordinateArn });
    const before = await exportCertificate(arn);
    await acm.send(new RenewCertificateCommand({ CertificateArn: arn }));
    await settled(arn, isOver);
    await permitAcm(pca, late.subordinateArn);
    await acm.send(new RenewCertificateCommand({ CertificateArn: arn }));
    const after = await settled(arn, isOver);
    expect(after.RenewalSummary?.RenewalStatus).toBe('SUCCESS');
    expect(after.RenewalSummary?.RenewalStatusReason).toBeUndefined();
    expect(hexOf(after.Serial)).not.toBe(before.leaf.serialNumber);
  });

  it('happens once where it is asked for twice in a row', async () => {
    const arn = await requestIssued();
    await exportCertificate(arn);
    await acm.send(new RenewCertificateCommand({ CertificateArn: arn }));
    await acm.send(new RenewCertificateCommand({ CertificateArn: arn }));
    const { Serial } = await settled(arn, isOver);
    await delay(DELAY_MS * 1.5);
    expect((await describeCertificate(arn)).Serial).toBe(Serial);
  });

  it('refuses a certificate that was never exported, and one that is not issued yet', async () => {
    await expect(
      acm.send(new RenewCertificateCommand({ CertificateArn: await requestIssued() })),
    ).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(
      acm.send(new RenewCertificateCommand({ CertificateArn: await request() })),
    ).rejects.toMatchObject({
      name: 'RequestInProgressException',
    });
  });
});

async function listedArns(...keyTypes: KeyAlgorithm[]): Promise<(string | undefined)[]> {
  const { CertificateSummaryList } = await acm.send(
    new ListCertificatesCommand(keyTypes.length === 0 ? {} : { Includes: { keyTypes } }),
  );
  return (CertificateSummaryList ?? []).map(({ CertificateArn }) => CertificateArn);
}

describe('tags and lists', () => {
  it('keeps the tags of the request and those added later', async () => {
    const arn = await request({ Tags: [{ Key: 'node', Value: 'order' }] });
    await acm.send(
      new AddTagsToCertificateCommand({ CertificateArn: arn, Tags: [{ Key: 'role', Value: 'client' }] }),
    );
    const { Tags } = await acm.send(new ListTagsForCertificateCommand({ CertificateArn: arn }));
    expect(Tags).toEqual([
      { Key: 'node', Value: 'order' },
      { Key: 'role', Value: 'client' },
    ]);
  });

  it('lists elliptic keys only where they are asked for, as ACM does', async () => {
    const arn = await requestIssued();
    expect(await listedArns('EC_prime256v1')).toContain(arn);
    expect(await listedArns()).not.toContain(arn);
  });

  it('tells in a list what was exported', async () => {
    const arn = await requestIssued();
    const exportedOf = async (): Promise<boolean | undefined> => {
      const { CertificateSummaryList } = await acm.send(
        new ListCertificatesCommand({
          CertificateStatuses: ['ISSUED'],
          Includes: { keyTypes: ['EC_prime256v1'] },
        }),
      );
      return CertificateSummaryList?.find(({ CertificateArn }) => CertificateArn === arn)?.Exported;
    };
    expect(await exportedOf()).toBe(false);
    await exportCertificate(arn);
    expect(await exportedOf()).toBe(true);
  });
});

describe('an emulator with other settings', () => {
  it('issues at once, and for as long as it is told', async () => {
    const quick = await startEmulatedAws({
      TOKENMESH_ACM_RENEWAL_DELAY_MS: '0',
      TOKENMESH_ACM_VALIDITY_DAYS: '0.01',
    });
    const client = new ACMClient({ ...quick.clientConfig, maxAttempts: 1 });
    const authorities = new ACMPCAClient({ ...quick.clientConfig, maxAttempts: 1 });
    const { subordinateArn } = await createHierarchy(authorities, 'quick');
    const { CertificateArn } = await client.send(
      new RequestCertificateCommand({ DomainName: 'quick.test', CertificateAuthorityArn: subordinateArn }),
    );
    const { Certificate } = await client.send(new DescribeCertificateCommand({ CertificateArn }));
    client.destroy();
    authorities.destroy();
    await quick.stop();
    expect(Certificate?.Status).toBe('ISSUED');
    const lifeLeftMs = (Certificate?.NotAfter?.getTime() ?? 0) - Date.now();
    expect(lifeLeftMs).toBeGreaterThan(800_000);
    expect(lifeLeftMs).toBeLessThan(865_000);
  });
});
