import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  ACMPCAClient,
  CreateCertificateAuthorityCommand,
  CreatePermissionCommand,
  DeletePermissionCommand,
  DescribeCertificateAuthorityCommand,
  GetCertificateAuthorityCertificateCommand,
  ImportCertificateAuthorityCertificateCommand,
  ListPermissionsCommand,
  UpdateCertificateAuthorityCommand,
} from '@aws-sdk/client-acm-pca';
import { certificateText, createCsr, opensslVerify } from '../../../support/openssl.ts';
import { PREPARE_DEADLINE_MS, startEmulatedAws, type EmulatedAws } from '../../../support/emulated-aws.ts';
import {
  createHierarchy,
  createRoot,
  createSubordinate,
  issue,
  permitAcm,
  type Hierarchy,
} from '../../../support/certificate-authorities.ts';

const END_ENTITY = 'arn:aws:acm-pca:::template/EndEntityCertificate/V1';
const END_ENTITY_PASSTHROUGH = 'arn:aws:acm-pca:::template/EndEntityCertificate_APIPassthrough/V1';

let aws: EmulatedAws;
let pca: ACMPCAClient;
let hierarchy: Hierarchy;
let directory: string;

beforeAll(async () => {
  aws = await startEmulatedAws();
  pca = new ACMPCAClient({ ...aws.clientConfig, maxAttempts: 1 });
  hierarchy = await createHierarchy(pca, 'test');
  directory = await mkdtemp(join(tmpdir(), 'tokenmesh-pca-'));
}, PREPARE_DEADLINE_MS);

afterAll(async () => {
  pca?.destroy();
  await aws?.stop();
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

async function csrFor(commonName: string, names: string): Promise<Buffer> {
  return createCsr(directory, commonName, names);
}

async function leafFor(validity: {
  Type: 'ABSOLUTE' | 'DAYS' | 'MONTHS' | 'END_DATE';
  Value: number;
}): Promise<X509Certificate> {
  const issued = await issue(pca, {
    CertificateAuthorityArn: hierarchy.subordinateArn,
    Csr: await csrFor('leaf', 'DNS:leaf.test.internal'),
    Validity: validity,
  });
  return new X509Certificate(issued.certificate);
}

async function textOf(certificate: string): Promise<string> {
  return certificateText(directory, certificate);
}

async function chainAbove(arn: string): Promise<string | undefined> {
  const { CertificateChain } = await pca.send(
    new GetCertificateAuthorityCertificateCommand({ CertificateAuthorityArn: arn }),
  );
  return CertificateChain;
}

describe('a hierarchy of two levels', () => {
  it('is a root that signed itself and a subordinate that the root signed', () => {
    const [root, subordinate] = [
      new X509Certificate(hierarchy.root),
      new X509Certificate(hierarchy.subordinate),
    ];
    expect(root.verify(root.publicKey)).toBe(true);
    expect(root.subject).toBe('CN=test root');
    expect(subordinate.verify(root.publicKey)).toBe(true);
    expect(subordinate.checkIssued(root)).toBe(true);
    expect([root.ca, subordinate.ca]).toEqual([true, true]);
    expect(subordinate.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
  });

  it('limits the path below the subordinate, as its template says', async () => {
    expect(await textOf(hierarchy.subordinate)).toContain('CA:TRUE, pathlen:0');
    expect(await textOf(hierarchy.root)).not.toContain('pathlen');
  });

  it('tells the chain above the subordinate, and none above the root', async () => {
    expect(await chainAbove(hierarchy.subordinateArn)).toBe(hierarchy.root);
    expect(await chainAbove(hierarchy.rootArn)).toBeUndefined();
  });

  it('describes an active CA with its serial and its usage mode', async () => {
    const { CertificateAuthority: described } = await pca.send(
      new DescribeCertificateAuthorityCommand({ CertificateAuthorityArn: hierarchy.subordinateArn }),
    );
    expect(described?.Status).toBe('ACTIVE');
    expect(described?.UsageMode).toBe('GENERAL_PURPOSE');
    expect(described?.Serial?.replaceAll(':', '')).toBe(
      new X509Certificate(hierarchy.subordinate).serialNumber.toLowerCase(),
    );
  });

  it('refuses a CA certificate for another key', async () => {
    const other = await createHierarchy(pca, 'other');
    await expect(
      pca.send(
        new ImportCertificateAuthorityCertificateCommand({
          CertificateAuthorityArn: hierarchy.subordinateArn,
          Certificate: Buffer.from(other.subordinate),
          CertificateChain: Buffer.from(other.root),
        }),
      ),
    ).rejects.toMatchObject({ name: 'CertificateMismatchException' });
  });
});

async function usagesUnder(template: string): Promise<string[] | undefined> {
  const issued = await issue(pca, {
    CertificateAuthorityArn: hierarchy.subordinateArn,
    Csr: await csrFor('leaf', 'DNS:leaf.test.internal'),
    TemplateArn: `arn:aws:acm-pca:::template/${template}/V1`,
    Validity: { Type: 'DAYS', Value: 1 },
  });
  return new X509Certificate(issued.certificate).keyUsage;
}

describe('an issued certificate', () => {
  it('verifies up to the root and carries the names and usages of its template', async () => {
    const issued = await issue(pca, {
      CertificateAuthorityArn: hierarchy.subordinateArn,
      Csr: await csrFor('leaf', 'DNS:leaf.test.internal,DNS:other.test.internal'),
      TemplateArn: END_ENTITY,
      Validity: { Type: 'DAYS', Value: 1 },
    });
    const leaf = new X509Certificate(issued.certificate);
    expect(issued.chain).toBe(`${hierarchy.subordinate}\n${hierarchy.root}`);
    expect(await opensslVerify(directory, issued.certificate, issued.chain, hierarchy.root)).toContain(
      ': OK',
    );
    expect(leaf.subjectAltName).toBe('DNS:leaf.test.internal, DNS:other.test.internal');
    expect(leaf.keyUsage?.toSorted()).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    expect(leaf.ca).toBe(false);
  });

  it('is for one side alone under the templates for clients and for servers', async () => {
    expect(await usagesUnder('EndEntityClientAuthCertificate')).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(await usagesUnder('EndEntityServerAuthCertificate')).toEqual(['1.3.6.1.5.5.7.3.1']);
  });

  it('takes names from the call where the template passes them through', async () => {
    const issued = await issue(pca, {
      CertificateAuthorityArn: hierarchy.subordinateArn,
      Csr: await csrFor('leaf', 'DNS:leaf.test.internal'),
      TemplateArn: END_ENTITY_PASSTHROUGH,
      Validity: { Type: 'DAYS', Value: 1 },
      ApiPassthrough: {
        Extensions: {
          SubjectAlternativeNames: [{ DnsName: 'a.test' }, { UniformResourceIdentifier: 'spiffe://test/a' }],
        },
      },
    });
    expect(new X509Certificate(issued.certificate).subjectAltName).toBe('DNS:a.test, URI:spiffe://test/a');
  });

  it('begins an hour back and ends at the second that was asked for', async () => {
    const end = Math.floor(Date.now() / 1000) + 90;
    const leaf = await leafFor({ Type: 'ABSOLUTE', Value: end });
    expect(leaf.validToDate.getTime()).toBe(end * 1000);
    const backdatedSeconds = (Date.now() - leaf.validFromDate.getTime()) / 1000;
    expect(backdatedSeconds).toBeGreaterThan(3_500);
    expect(backdatedSeconds).toBeLessThan(3_700);
  });

  it('ends after months of the calendar, and at a date', async () => {
    const inThreeMonths = new Date();
    inThreeMonths.setUTCMonth(inThreeMonths.getUTCMonth() + 3);
    const months = await leafFor({ Type: 'MONTHS', Value: 3 });
    expect(Math.abs(months.validToDate.getTime() - inThreeMonths.getTime())).toBeLessThan(4 * 86_400_000);
    const nextYear = new Date().getUTCFullYear() + 1;
    const dated = await leafFor({ Type: 'END_DATE', Value: Number(`${nextYear}0102030405`) });
    expect(dated.validToDate.toISOString()).toBe(`${nextYear}-01-02T03:04:05.000Z`);
  });

  it('refuses an end in the past and an end beyond that of the CA', async () => {
    const yesterday = Math.floor(Date.now() / 1000) - 86_400;
    await expect(leafFor({ Type: 'ABSOLUTE', Value: yesterday })).rejects.toMatchObject({
      name: 'ValidationException',
    });
    await expect(leafFor({ Type: 'MONTHS', Value: 61 })).rejects.toMatchObject({
      name: 'ValidationException',
    });
  });

  it('refuses a template it does not know and names that the template does not take', async () => {
    const asked = {
      CertificateAuthorityArn: hierarchy.subordinateArn,
      Csr: await csrFor('leaf', 'DNS:leaf.test.internal'),
      Validity: { Type: 'DAYS', Value: 1 },
    } as const;
    await expect(
      issue(pca, { ...asked, TemplateArn: 'arn:aws:acm-pca:::template/NoSuchCertificate/V1' }),
    ).rejects.toMatchObject({ name: 'InvalidArgsException' });
    await expect(
      issue(pca, {
        ...asked,
        TemplateArn: END_ENTITY,
        ApiPassthrough: { Extensions: { SubjectAlternativeNames: [{ DnsName: 'a.test' }] } },
      }),
    ).rejects.toMatchObject({ name: 'InvalidArgsException' });
  });

  it('refuses a request for signing that is none', async () => {
    await expect(
      issue(pca, {
        CertificateAuthorityArn: hierarchy.subordinateArn,
        Csr: Buffer.from('not a request'),
        Validity: { Type: 'DAYS', Value: 1 },
      }),
    ).rejects.toMatchObject({ name: 'MalformedCSRException' });
  });
});

describe('the state of a CA', () => {
  it('refuses to issue before it has a certificate, and while it is disabled', async () => {
    const asked = {
      Csr: await csrFor('leaf', 'DNS:leaf.test'),
      Validity: { Type: 'DAYS', Value: 1 },
    } as const;
    const { CertificateAuthorityArn: pending } = await pca.send(
      new CreateCertificateAuthorityCommand({
        CertificateAuthorityType: 'SUBORDINATE',
        CertificateAuthorityConfiguration: {
          KeyAlgorithm: 'RSA_2048',
          SigningAlgorithm: 'SHA256WITHRSA',
          Subject: { CommonName: 'p' },
        },
      }),
    );
    await expect(
      issue(pca, { ...asked, SigningAlgorithm: 'SHA256WITHRSA', CertificateAuthorityArn: pending }),
    ).rejects.toMatchObject({ name: 'InvalidStateException' });

    const disabled = await createSubordinate(pca, hierarchy.rootArn, { commonName: 'disabled' });
    await pca.send(
      new UpdateCertificateAuthorityCommand({ CertificateAuthorityArn: disabled, Status: 'DISABLED' }),
    );
    await expect(issue(pca, { ...asked, CertificateAuthorityArn: disabled })).rejects.toMatchObject({
      name: 'InvalidStateException',
    });
  });

  it('refuses more than seven days in short-lived mode', async () => {
    const arn = await createSubordinate(pca, hierarchy.rootArn, {
      commonName: 'short',
      UsageMode: 'SHORT_LIVED_CERTIFICATE',
    });
    const asked = { CertificateAuthorityArn: arn, Csr: await csrFor('leaf', 'DNS:leaf.test') };
    await expect(issue(pca, { ...asked, Validity: { Type: 'DAYS', Value: 8 } })).rejects.toMatchObject({
      name: 'ValidationException',
    });
    const issued = await issue(pca, { ...asked, Validity: { Type: 'DAYS', Value: 7 } });
    expect(new X509Certificate(issued.certificate).ca).toBe(false);
  });
});

describe('permissions', () => {
  it('are granted once, listed and taken back', async () => {
    const arn = await createRoot(pca, { commonName: 'permitting' });
    const actionsOf = async (): Promise<unknown> =>
      (await pca.send(new ListPermissionsCommand({ CertificateAuthorityArn: arn }))).Permissions?.map(
        ({ Principal, Actions }) => ({ Principal, Actions }),
      );
    await permitAcm(pca, arn);
    expect(await actionsOf()).toEqual([
      { Principal: 'acm.amazonaws.com', Actions: ['IssueCertificate', 'GetCertificate', 'ListPermissions'] },
    ]);
    const again = new CreatePermissionCommand({
      CertificateAuthorityArn: arn,
      Principal: 'acm.amazonaws.com',
      Actions: ['IssueCertificate'],
    });
    await expect(pca.send(again)).rejects.toMatchObject({ name: 'PermissionAlreadyExistsException' });
    await pca.send(
      new DeletePermissionCommand({ CertificateAuthorityArn: arn, Principal: 'acm.amazonaws.com' }),
    );
    expect(await actionsOf()).toEqual([]);
  });
});
