import {
  CreateCertificateAuthorityCommand,
  CreatePermissionCommand,
  GetCertificateAuthorityCertificateCommand,
  GetCertificateAuthorityCsrCommand,
  GetCertificateCommand,
  ImportCertificateAuthorityCertificateCommand,
  IssueCertificateCommand,
  type ACMPCAClient,
  type CreateCertificateAuthorityCommandInput,
  type IssueCertificateCommandInput,
  type Validity,
} from '@aws-sdk/client-acm-pca';

const TEMPLATES = 'arn:aws:acm-pca:::template';

export interface AuthorityFacts extends Partial<CreateCertificateAuthorityCommandInput> {
  readonly commonName: string;
}

export interface Hierarchy {
  readonly rootArn: string;
  readonly subordinateArn: string;
  /** PEM. */
  readonly root: string;
  /** PEM. */
  readonly subordinate: string;
}

/** A root and a subordinate under it, made call by call as on AWS. */
export async function createHierarchy(pca: ACMPCAClient, name: string): Promise<Hierarchy> {
  const rootArn = await createRoot(pca, { commonName: `${name} root` });
  const subordinateArn = await createSubordinate(pca, rootArn, { commonName: `${name} issuing` });
  return {
    rootArn,
    subordinateArn,
    root: await certificateOf(pca, rootArn),
    subordinate: await certificateOf(pca, subordinateArn),
  };
}

export async function createRoot(pca: ACMPCAClient, facts: AuthorityFacts): Promise<string> {
  const arn = await createAuthority(pca, 'ROOT', facts);
  const issued = await issue(pca, {
    CertificateAuthorityArn: arn,
    Csr: await csrOf(pca, arn),
    TemplateArn: `${TEMPLATES}/RootCACertificate/V1`,
    Validity: { Type: 'YEARS', Value: 10 },
  });
  await importCertificate(pca, arn, issued.certificate);
  return arn;
}

export async function createSubordinate(
  pca: ACMPCAClient,
  rootArn: string,
  facts: AuthorityFacts,
  validity: Validity = { Type: 'YEARS', Value: 5 },
): Promise<string> {
  const arn = await createAuthority(pca, 'SUBORDINATE', facts);
  const issued = await issue(pca, {
    CertificateAuthorityArn: rootArn,
    Csr: await csrOf(pca, arn),
    TemplateArn: `${TEMPLATES}/SubordinateCACertificate_PathLen0/V1`,
    Validity: validity,
  });
  await importCertificate(pca, arn, issued.certificate, issued.chain);
  return arn;
}

async function createAuthority(
  pca: ACMPCAClient,
  type: 'ROOT' | 'SUBORDINATE',
  { commonName, ...more }: AuthorityFacts,
): Promise<string> {
  const { CertificateAuthorityArn } = await pca.send(
    new CreateCertificateAuthorityCommand({
      CertificateAuthorityType: type,
      CertificateAuthorityConfiguration: {
        KeyAlgorithm: 'EC_prime256v1',
        SigningAlgorithm: 'SHA256WITHECDSA',
        Subject: { CommonName: commonName },
      },
      ...more,
    }),
  );
  return CertificateAuthorityArn ?? '';
}

/** The permission without which ACM may not renew. */
export async function permitAcm(pca: ACMPCAClient, arn: string): Promise<void> {
  await pca.send(
    new CreatePermissionCommand({
      CertificateAuthorityArn: arn,
      Principal: 'acm.amazonaws.com',
      Actions: ['IssueCertificate', 'GetCertificate', 'ListPermissions'],
    }),
  );
}

export interface IssuedCertificate {
  readonly arn: string;
  readonly certificate: string;
  readonly chain: string;
}

export async function issue(
  pca: ACMPCAClient,
  asked: Omit<IssueCertificateCommandInput, 'SigningAlgorithm'> & Partial<IssueCertificateCommandInput>,
): Promise<IssuedCertificate> {
  const { CertificateArn = '' } = await pca.send(
    new IssueCertificateCommand({ SigningAlgorithm: 'SHA256WITHECDSA', ...asked }),
  );
  const { Certificate = '', CertificateChain = '' } = await pca.send(
    new GetCertificateCommand({ CertificateAuthorityArn: asked.CertificateAuthorityArn, CertificateArn }),
  );
  return { arn: CertificateArn, certificate: Certificate, chain: CertificateChain };
}

async function csrOf(pca: ACMPCAClient, arn: string): Promise<Uint8Array> {
  const { Csr = '' } = await pca.send(
    new GetCertificateAuthorityCsrCommand({ CertificateAuthorityArn: arn }),
  );
  return Buffer.from(Csr);
}

async function importCertificate(
  pca: ACMPCAClient,
  arn: string,
  certificate: string,
  chain?: string,
): Promise<void> {
  await pca.send(
    new ImportCertificateAuthorityCertificateCommand({
      CertificateAuthorityArn: arn,
      Certificate: Buffer.from(certificate),
      ...(chain === undefined ? {} : { CertificateChain: Buffer.from(chain) }),
    }),
  );
}

export async function certificateOf(pca: ACMPCAClient, arn: string): Promise<string> {
  const { Certificate = '' } = await pca.send(
    new GetCertificateAuthorityCertificateCommand({ CertificateAuthorityArn: arn }),
  );
  return Certificate;
}
