/**
 * Certificate authorities and the certificates of nodes, made with the calls that AWS has for it.
 *
 * A hierarchy whose making was cut short is taken up where it was: its CAs are found by their tags.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateCertificateAuthorityCommand,
  CreatePermissionCommand,
  GetCertificateAuthorityCertificateCommand,
  GetCertificateAuthorityCsrCommand,
  GetCertificateCommand,
  ImportCertificateAuthorityCertificateCommand,
  IssueCertificateCommand,
  ListTagsCommand,
  UpdateCertificateAuthorityCommand,
  paginateListCertificateAuthorities,
  waitUntilCertificateAuthorityCSRCreated,
  waitUntilCertificateIssued,
  type ACMPCAClient,
  type RevocationConfiguration,
} from '@aws-sdk/client-acm-pca';
import { DescribeCertificateCommand, RequestCertificateCommand, type ACMClient } from '@aws-sdk/client-acm';
import { isAwsError } from '../../cert-exporter/adapters/aws-failure.ts';
import { TokenmeshError } from '../../errors/error.ts';
import type { CertificateAuthorityHierarchy } from '../../mesh/definition.ts';
import { tagsOf, type CertificateOwner, type Tag } from '../../pki/certificate-owner.ts';

export interface PrivateCaClients {
  readonly acm: ACMClient;
  readonly acmPca: ACMPCAClient;
}

export interface HierarchyWish extends CertificateAuthorityHierarchy {
  readonly tags: readonly Tag[];
  /** Where both CAs write their revocation lists. */
  readonly crlBucket?: string;
}

export interface CreatedHierarchy {
  readonly rootArn: string;
  /** PEM. */
  readonly rootCertificate: string;
  readonly subordinateArn: string;
  /** PEM. */
  readonly subordinateCertificate: string;
  /** Only where a node of the mesh asks for short-lived certificates. */
  readonly shortLived?: ShortLivedAuthority;
}

/** A root, and a subordinate that ACM may issue leaves from. */
export async function createHierarchy(
  clients: PrivateCaClients,
  wish: HierarchyWish,
): Promise<CreatedHierarchy> {
  const { acmPca } = clients;
  const there = await findTagged(acmPca, wish.tags);
  const root = await ensureAuthority(acmPca, there, 'ROOT', wish.rootCommonName, wish);
  const rootCertificate = await ensureInstalled(acmPca, root, {
    issuerArn: root.arn,
    template: 'RootCACertificate/V1',
    validityDays: wish.rootValidityDays,
  });
  const subordinate = await ensureAuthority(acmPca, there, 'SUBORDINATE', wish.subordinateCommonName, wish);
  const subordinateCertificate = await ensureInstalled(acmPca, subordinate, {
    issuerArn: root.arn,
    template: 'SubordinateCACertificate_PathLen0/V1',
    validityDays: wish.subordinateValidityDays,
    chain: rootCertificate,
  });
  await permitAcm(acmPca, subordinate.arn);
  return { rootArn: root.arn, rootCertificate, subordinateArn: subordinate.arn, subordinateCertificate };
}

/** The CAs of a hierarchy that stands, by their tags. Undefined unless both can issue or could again. */
export async function findHierarchy(
  clients: PrivateCaClients,
  tags: readonly Tag[],
): Promise<CreatedHierarchy | undefined> {
  const { acmPca } = clients;
  const there = await findTagged(acmPca, tags);
  const root = there.find((each) => each.type === 'ROOT');
  const subordinate = there.find((each) => each.type === 'SUBORDINATE');
  if (!isInstalled(root) || !isInstalled(subordinate)) return undefined;
  return {
    rootArn: root.arn,
    rootCertificate: await certificateOfAuthority(acmPca, root.arn),
    subordinateArn: subordinate.arn,
    subordinateCertificate: await certificateOfAuthority(acmPca, subordinate.arn),
  };
}

/** One CA as it stands. */
export interface TaggedAuthority {
  readonly arn: string;
  readonly type: 'ROOT' | 'SUBORDINATE';
  readonly status: string;
  readonly notAfter?: Date;
  readonly tags: readonly Tag[];
}

function isInstalled(authority: TaggedAuthority | undefined): authority is TaggedAuthority {
  return authority?.status === 'ACTIVE' || authority?.status === 'DISABLED';
}

/**
 * Every CA for general use that carries all of these tags and was not deleted. None where no tag is
 * given. CAs in short-lived mode are of another source of certificates, and are left alone.
 */
export async function findTagged(acmPca: ACMPCAClient, tags: readonly Tag[]): Promise<TaggedAuthority[]> {
  if (tags.length === 0) return [];
  const found: TaggedAuthority[] = [];
  for await (const page of paginateListCertificateAuthorities({ client: acmPca }, {})) {
    for (const authority of page.CertificateAuthorities ?? []) {
      const { Arn: arn, Type: type, Status: status = 'unknown', UsageMode: usage, NotAfter } = authority;
      if (arn === undefined || type === undefined || usage === 'SHORT_LIVED_CERTIFICATE') continue;
      if (status === 'DELETED' || status === 'FAILED') continue;
      const own = await tagsOfAuthority(acmPca, arn);
      if (!tags.every(({ key, value }) => own.some((each) => each.key === key && each.value === value)))
        continue;
      found.push({ arn, type, status, tags: own, ...(NotAfter === undefined ? {} : { notAfter: NotAfter }) });
    }
  }
  return found;
}

async function tagsOfAuthority(acmPca: ACMPCAClient, arn: string): Promise<Tag[]> {
  const { Tags: tags = [] } = await acmPca.send(new ListTagsCommand({ CertificateAuthorityArn: arn }));
  return tags.map(({ Key: key = '', Value: value = '' }) => ({ key, value }));
}

async function ensureAuthority(
  acmPca: ACMPCAClient,
  there: readonly TaggedAuthority[],
  type: TaggedAuthority['type'],
  commonName: string,
  wish: Pick<HierarchyWish, 'tags' | 'crlBucket'>,
): Promise<Pick<TaggedAuthority, 'arn' | 'status'>> {
  const found = there.find((each) => each.type === type);
  if (found !== undefined) return found;
  return { arn: await createAuthority(acmPca, type, commonName, wish), status: 'PENDING_CERTIFICATE' };
}

/** @returns The certificate of the CA, issued and installed by this call or by one before. */
async function ensureInstalled(
  acmPca: ACMPCAClient,
  authority: Pick<TaggedAuthority, 'arn' | 'status'>,
  issue: AuthorityIssue & { readonly chain?: string },
): Promise<string> {
  if (authority.status === 'ACTIVE') return await certificateOfAuthority(acmPca, authority.arn);
  const certificate = await issueAuthority(acmPca, authority.arn, issue);
  await installAuthority(acmPca, authority.arn, certificate, issue.chain);
  return certificate;
}

export async function certificateOfAuthority(acmPca: ACMPCAClient, arn: string): Promise<string> {
  const command = new GetCertificateAuthorityCertificateCommand({ CertificateAuthorityArn: arn });
  return (await acmPca.send(command)).Certificate ?? '';
}

/** Issues nothing from then on. It is there, and costs, until it is deleted. */
export async function disableAuthority(acmPca: ACMPCAClient, arn: string): Promise<void> {
  await acmPca.send(
    new UpdateCertificateAuthorityCommand({ CertificateAuthorityArn: arn, Status: 'DISABLED' }),
  );
}

export interface ShortLivedWish {
  readonly commonName: string;
  readonly validityDays: number;
  readonly rootArn: string;
  /** PEM. */
  readonly rootCertificate: string;
  readonly crlBucket?: string;
}

export interface ShortLivedAuthority {
  readonly arn: string;
  /** PEM. */
  readonly certificate: string;
}

/**
 * A second subordinate under a root, which signs for seven days at most: the mode of a CA cannot be
 * changed, and ACM cannot issue from one of this mode. It writes a revocation list like the others: Envoy
 * wants one for each CA of a chain.
 */
export async function createShortLivedAuthority(
  acmPca: ACMPCAClient,
  wish: ShortLivedWish,
): Promise<ShortLivedAuthority> {
  const { commonName, crlBucket } = wish;
  const arn = await createAuthority(
    acmPca,
    'SUBORDINATE',
    commonName,
    { tags: [], ...(crlBucket === undefined ? {} : { crlBucket }) },
    'SHORT_LIVED_CERTIFICATE',
  );
  const certificate = await issueAuthority(acmPca, arn, {
    issuerArn: wish.rootArn,
    template: 'SubordinateCACertificate_PathLen0/V1',
    validityDays: wish.validityDays,
  });
  await installAuthority(acmPca, arn, certificate, wish.rootCertificate);
  return { arn, certificate };
}

export interface NodeCertificateWish extends CertificateOwner {
  readonly domainName: string;
  /** Further DNS names; `domainName` is among the names by itself. */
  readonly alternativeNames: readonly string[];
  readonly subordinateArn: string;
}

/** Requests a certificate, tagged with its owner unless other tags are given, and resolves to its ARN once it is issued. */
export async function requestNodeCertificate(
  clients: PrivateCaClients,
  wish: NodeCertificateWish,
  tags: readonly Tag[] = tagsOf(wish),
): Promise<string> {
  const { CertificateArn: certificateArn = '' } = await clients.acm.send(
    new RequestCertificateCommand({
      DomainName: wish.domainName,
      ...(wish.alternativeNames.length === 0 ? {} : { SubjectAlternativeNames: [...wish.alternativeNames] }),
      CertificateAuthorityArn: wish.subordinateArn,
      KeyAlgorithm: 'EC_prime256v1',
      Tags: tags.map(awsTag),
    }),
  );
  await waitUntilIssued(clients.acm, certificateArn);
  return certificateArn;
}

const WAIT_DEADLINE_SECONDS = 60;

const WAIT = { minDelay: 1, maxDelay: 5, maxWaitTime: WAIT_DEADLINE_SECONDS };

async function createAuthority(
  acmPca: ACMPCAClient,
  type: 'ROOT' | 'SUBORDINATE',
  commonName: string,
  { tags, crlBucket }: Pick<HierarchyWish, 'tags' | 'crlBucket'>,
  usageMode: 'GENERAL_PURPOSE' | 'SHORT_LIVED_CERTIFICATE' = 'GENERAL_PURPOSE',
): Promise<string> {
  const { CertificateAuthorityArn: arn = '' } = await acmPca.send(
    new CreateCertificateAuthorityCommand({
      CertificateAuthorityType: type,
      UsageMode: usageMode,
      CertificateAuthorityConfiguration: {
        KeyAlgorithm: 'EC_prime256v1',
        SigningAlgorithm: 'SHA256WITHECDSA',
        Subject: { CommonName: commonName },
      },
      ...(crlBucket === undefined ? {} : { RevocationConfiguration: revocationTo(crlBucket) }),
      ...(tags.length === 0 ? {} : { Tags: tags.map(awsTag) }),
    }),
  );
  await waitUntilCertificateAuthorityCSRCreated(
    { client: acmPca, ...WAIT },
    { CertificateAuthorityArn: arn },
  );
  return arn;
}

/** A list is good for this long; the CA writes the next one at half of it. */
const CRL_DAYS = 7;

function revocationTo(bucket: string): RevocationConfiguration {
  return {
    CrlConfiguration: {
      Enabled: true,
      S3BucketName: bucket,
      ExpirationInDays: CRL_DAYS,
      S3ObjectAcl: 'BUCKET_OWNER_FULL_CONTROL',
    },
  };
}

interface AuthorityIssue {
  readonly issuerArn: string;
  /** Names one of the templates of AWS Private CA. */
  readonly template: string;
  readonly validityDays: number;
}

async function issueAuthority(acmPca: ACMPCAClient, arn: string, issue: AuthorityIssue): Promise<string> {
  const { Csr: csr = '' } = await acmPca.send(
    new GetCertificateAuthorityCsrCommand({ CertificateAuthorityArn: arn }),
  );
  const { CertificateArn: certificateArn = '' } = await acmPca.send(
    new IssueCertificateCommand({
      CertificateAuthorityArn: issue.issuerArn,
      Csr: Buffer.from(csr),
      SigningAlgorithm: 'SHA256WITHECDSA',
      TemplateArn: `arn:aws:acm-pca:::template/${issue.template}`,
      Validity: { Type: 'DAYS', Value: issue.validityDays },
    }),
  );
  const issued = { CertificateAuthorityArn: issue.issuerArn, CertificateArn: certificateArn };
  await waitUntilCertificateIssued({ client: acmPca, ...WAIT }, issued);
  const { Certificate: certificate = '' } = await acmPca.send(new GetCertificateCommand(issued));
  return certificate;
}

async function installAuthority(
  acmPca: ACMPCAClient,
  arn: string,
  certificate: string,
  chain?: string,
): Promise<void> {
  await acmPca.send(
    new ImportCertificateAuthorityCertificateCommand({
      CertificateAuthorityArn: arn,
      Certificate: Buffer.from(certificate),
      ...(chain === undefined ? {} : { CertificateChain: Buffer.from(chain) }),
    }),
  );
}

/** Without it ACM could issue once, on the caller's rights, but not renew on its own. */
async function permitAcm(acmPca: ACMPCAClient, arn: string): Promise<void> {
  const command = new CreatePermissionCommand({
    CertificateAuthorityArn: arn,
    Principal: 'acm.amazonaws.com',
    Actions: ['IssueCertificate', 'GetCertificate', 'ListPermissions'],
  });
  await acmPca.send(command).catch((error: unknown) => {
    if (!isAwsError(error, 'PermissionAlreadyExistsException')) throw error;
  });
}

export async function waitUntilIssued(acm: ACMClient, certificateArn: string): Promise<void> {
  const deadline = Date.now() + WAIT_DEADLINE_SECONDS * 1000;
  for (let intervalMs = 100; ; intervalMs = Math.min(intervalMs * 2, 5_000)) {
    const { Certificate: found } = await acm.send(
      new DescribeCertificateCommand({ CertificateArn: certificateArn }),
    );
    if (found?.Status === 'ISSUED') return;
    if (found?.Status !== 'PENDING_VALIDATION' || Date.now() > deadline) {
      throw notIssued(certificateArn, `${found?.Status}, ${found?.FailureReason ?? 'no reason'}`);
    }
    await sleep(intervalMs);
  }
}

function awsTag({ key, value }: Tag): { Key: string; Value: string } {
  return { Key: key, Value: value };
}

function notIssued(certificateArn: string, status: string): TokenmeshError {
  return new TokenmeshError({
    code: 'ERR_CERTIFICATE_NOT_ISSUED',
    message: `certificate ${certificateArn} is not issued: expected ISSUED within ${WAIT_DEADLINE_SECONDS} s, got ${status}`,
    remedy: 'check that its subordinate CA is ACTIVE and that acm.amazonaws.com may issue from it',
  });
}
